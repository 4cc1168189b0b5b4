package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.config.PciCapability;
import java.util.ArrayList;
import java.util.List;

/** A bit of the configuration space that resets the device when it is written. */
record ResetBit(int at, int bit) {
  private static final int EXPRESS = 0x10;
  private static final int ADVANCED_FEATURES = 0x13;

  static List<ResetBit> of(ConfigImage image) throws VfioException {
    List<ResetBit> bits = new ArrayList<>();
    for (PciCapability each : image.capabilities()) {
      if (!each.isExtended() && each.id() == EXPRESS) {
        bits.add(new ResetBit(each.offset() + 9, 7));
      } else if (!each.isExtended() && each.id() == ADVANCED_FEATURES) {
        bits.add(new ResetBit(each.offset() + 4, 0));
      }
    }
    return bits;
  }

  boolean isWritten(int offset, int width, int value) {
    return at >= offset
        && at < offset + width
        && (value >>> ((at - offset) * Byte.SIZE + bit) & 1) != 0;
  }
}
