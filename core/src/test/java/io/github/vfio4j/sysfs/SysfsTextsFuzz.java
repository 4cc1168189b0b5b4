package io.github.vfio4j.sysfs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.util.Locale;

/** Texts of sysfs, and of whoever names a device. */
public final class SysfsTextsFuzz {
  private SysfsTextsFuzz() {}

  /** Takes an input for each kind of text. */
  public static void fuzzerTestOneInput(byte[] input) {
    String text = new String(input, UTF_8);
    try {
      for (PciResource resource : PciResource.parse("fuzz", text)) {
        require(resource.size() >= 0, text);
      }
    } catch (VfioException e) {
      require(String.valueOf(e.getMessage()).contains("makes no sense"), text);
    }
    try {
      String address = PciAddress.of(text).toString();
      String domain = text.toLowerCase(Locale.ROOT).replaceFirst("^0+(?=[0-9a-f]{4,}:)", "");
      require(address.endsWith(domain), text);
      require(PciAddress.of(address).toString().equals(address), text);
    } catch (IllegalArgumentException e) {
      require(!String.valueOf(e.getMessage()).isEmpty(), text);
    }
    try {
      DeviceNumber number = DeviceNumber.parse(text);
      require(number.major() >= 0 && number.minor() >= 0, text);
    } catch (IllegalArgumentException e) {
      require(!String.valueOf(e.getMessage()).isEmpty(), text);
    }
    try {
      ReservedRegion region = ReservedRegion.parse(text);
      require(Long.compareUnsigned(region.first(), region.last()) <= 0, text);
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      require(!String.valueOf(e.getMessage()).isEmpty(), text); // IommuGroup takes both
    }
  }

  private static void require(boolean holds, String text) {
    if (!holds) {
      throw new AssertionError(text);
    }
  }
}
