package io.github.vfio4j;

import java.util.Comparator;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a function sits on the PCI buses of the host, such as {@code 0000:00:05.0}. Addresses sort
 * by domain, bus, device and function.
 *
 * @param domain the PCI domain or segment, 0 to 0x7fffffff; 0 on most machines
 * @param bus the bus in the domain, 0 to 255
 * @param device the device on the bus, 0 to 31
 * @param function the function of the device, 0 to 7
 */
public record PciAddress(int domain, int bus, int device, int function)
    implements Comparable<PciAddress> {

  private static final Pattern FORM =
      Pattern.compile("(?:(\\p{XDigit}{4,8}):)?(\\p{XDigit}{2}):(\\p{XDigit}{2})\\.([0-7])");

  private static final Comparator<PciAddress> ORDER =
      Comparator.comparingInt(PciAddress::domain)
          .thenComparingInt(PciAddress::bus)
          .thenComparingInt(PciAddress::device)
          .thenComparingInt(PciAddress::function);

  /**
   * Checks that every part is in its range.
   *
   * @throws IllegalArgumentException if a part is out of its range
   */
  public PciAddress {
    if (domain < 0 || (bus & ~0xff) != 0 || (device & ~0x1f) != 0 || (function & ~7) != 0) {
      throw new IllegalArgumentException(
          "No PCI function can be at domain %d, bus %d, device %d, function %d"
              .formatted(domain, bus, device, function));
    }
  }

  /**
   * Reads an address as the kernel and lspci write it.
   *
   * @param text {@code domain:bus:device.function} in hexadecimal; without a domain, domain 0
   * @return the address
   * @throws IllegalArgumentException if the text is not an address
   */
  public static PciAddress of(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      String domain = form.group(1);
      long number = domain == null ? 0 : HexFormat.fromHexDigitsToLong(domain);
      int device = HexFormat.fromHexDigits(form.group(3));
      if (number <= Integer.MAX_VALUE && device < 32) {
        int bus = HexFormat.fromHexDigits(form.group(2));
        return new PciAddress((int) number, bus, device, form.group(4).charAt(0) - '0');
      }
    }
    throw new IllegalArgumentException(
        "Not a PCI address: \"" + text + "\"; one looks like 0000:00:05.0 or 00:05.0");
  }

  @Override
  public int compareTo(PciAddress other) {
    return ORDER.compare(this, other);
  }

  /** {@return the address as the kernel writes it, such as {@code 0000:00:05.0}} */
  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return (domain > 0xffff ? Integer.toHexString(domain) : hex.toHexDigits((short) domain))
        + ":"
        + hex.toHexDigits((byte) bus)
        + ":"
        + hex.toHexDigits((byte) device)
        + "."
        + function;
  }
}
