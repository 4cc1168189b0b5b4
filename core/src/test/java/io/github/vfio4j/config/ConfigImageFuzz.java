package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.util.Arrays;

/** What a device says of itself in its configuration space, and in its vital product data. */
public final class ConfigImageFuzz {
  private static final int HEADER = 64;
  private static final int CONVENTIONAL = 256;
  private static final int EXPRESS = 4096;

  private ConfigImageFuzz() {}

  /** Takes an input for the beginning of a space whose other bytes are 0. */
  public static void fuzzerTestOneInput(byte[] input) {
    for (int size : new int[] {HEADER, CONVENTIONAL, EXPRESS}) {
      try {
        ConfigImage image = ConfigImage.of("fuzz", Arrays.copyOf(input, size));
        check(image.header());
        for (PciCapability capability : image.capabilities()) {
          require(capability.offset() > 0 && capability.offset() < size, capability);
          require(capability.isExtended() == capability.offset() >= CONVENTIONAL, capability);
          require(image.find(capability.getClass()).isPresent(), capability);
          require(capability.toString().length() > 0, capability);
        }
      } catch (VfioException e) {
        require(!String.valueOf(e.getMessage()).isEmpty(), e);
      }
    }
    try {
      VitalProductData data = VitalProductData.parse("fuzz", input);
      require(data.name().length() <= input.length, data);
    } catch (VfioException e) {
      require(!String.valueOf(e.getMessage()).isEmpty(), e);
    }
  }

  private static void check(ConfigHeader header) {
    int next = 0;
    for (BaseAddress bar : header.baseAddresses()) {
      require(bar.number() >= next && bar.number() < 6, header);
      next = bar.number() + (bar.address() >>> Integer.SIZE != 0 ? 2 : 1);
    }
  }

  private static void require(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(what.toString());
    }
  }
}
