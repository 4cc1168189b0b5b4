package io.github.vfio4j.pci;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.ConfigSpace.Capability;
import io.github.vfio4j.ConfigSpace.CapabilityId;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.util.Optional;

/**
 * A register and the value that is written to it.
 *
 * @param region the name of its region, for messages
 * @param offset bytes from the start of the region
 * @param fileOffset where it is in the device's file
 * @param width bytes, which is also the kernel's flag
 * @param value its lowest bits
 */
record Place(String region, long offset, long fileOffset, int width, long value) {
  private static final int MSIX_FLAGS = 2;
  private static final int MSIX_TABLE = 4;
  private static final int MSIX_SIZE = 0x7ff;
  private static final int MSIX_BAR = 7;
  private static final int MSIX_ENTRY = 16;

  /** Checks what the kernel does not, or does without a word. */
  static Place of(VfioDevice device, int bar, long offset, int width, long value)
      throws VfioException {
    Region region = device.pci().bar(bar);
    if (offset < 0 || offset > region.size() - width) {
      throw new IndexOutOfBoundsException(
          "%d bytes at 0x%x of %s, which has 0x%x".formatted(width, offset, region, region.size()));
    }
    if (offset % width != 0) {
      throw new IllegalArgumentException(
          "Offset 0x%x of %s is not a multiple of %d".formatted(offset, region, width));
    }
    requireOutsideMsixTable(device.pci().config(), bar, offset, width);
    return new Place(region.toString(), offset, region.info().offset() + offset, width, value);
  }

  private static void requireOutsideMsixTable(ConfigSpace config, int bar, long offset, int width)
      throws VfioException {
    Optional<Capability> msix = config.find(CapabilityId.MSIX);
    if (msix.isEmpty()) {
      return;
    }
    int at = msix.get().offset();
    int where = config.region().readInt(at + MSIX_TABLE);
    long table = Integer.toUnsignedLong(where & ~MSIX_BAR);
    long size = ((config.region().readShort(at + MSIX_FLAGS) & MSIX_SIZE) + 1L) * MSIX_ENTRY;
    if ((where & MSIX_BAR) == bar && offset + width > table && offset < table + size) {
      throw new IllegalArgumentException(
          "Offset 0x%x of BAR %d of %s is in the MSI-X table, which is the kernel's own"
              .formatted(offset, bar, config.region()));
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "the ioeventfd of 0x%x, %d bits, at 0x%x of %s"
        .formatted(value, width * Byte.SIZE, offset, region);
  }
}
