package io.github.vfio4j.model;

import io.github.vfio4j.DmaAccess;
import java.util.List;

/**
 * Something that a device wanted to do by DMA and was kept from, as an IOMMU would have.
 *
 * @param device the device's name
 * @param access {@link DmaAccess#READ} where it read memory, {@link DmaAccess#WRITE} where it wrote
 * @param iova the first IO virtual address that was refused
 * @param size how many bytes were refused from there on
 * @param reason why
 * @param lastCall the stack of the driver's last access to the device, the innermost frame first:
 *     what made the device do it, as a rule
 */
public record DmaFault(
    String device,
    DmaAccess access,
    long iova,
    long size,
    Reason reason,
    List<StackTraceElement> lastCall) {

  /** Why DMA was refused. */
  public enum Reason {
    /** Nothing is mapped there, or not any more. */
    NOT_MAPPED("nothing is mapped there"),

    /** What is mapped there is mapped for the other direction only. */
    NOT_PERMITTED("the mapping does not allow it"),

    /** The driver has not let the device start memory transactions. */
    NOT_BUS_MASTER("the device is not bus master"),

    /** The memory behind the mapping was freed, though it was never unmapped. */
    MEMORY_FREED("the memory that is mapped there was freed");

    private final String words;

    Reason(String words) {
      this.words = words;
    }
  }

  /** Copies the stack. */
  public DmaFault {
    lastCall = List.copyOf(lastCall);
  }

  /** Returns the fault in one line. */
  @Override
  public String toString() {
    return "%s: %s of 0x%x bytes at 0x%x: %s"
        .formatted(device, access == DmaAccess.READ ? "read" : "write", size, iova, reason.words);
  }
}
