package io.github.vfio4j.model;

import java.lang.foreign.MemorySegment;

/**
 * What a {@link DeviceModel} sees of whoever hosts it: memory by IO virtual address, and
 * interrupts.
 *
 * <p>All methods may be called from any thread. What the device may not do, because nothing is
 * mapped there, or bus mastering is off, does not happen; the host takes note of it.
 */
public interface Bus {
  /**
   * Reads memory by DMA.
   *
   * @param iova the first IO virtual address
   * @param target where the bytes go, filled whole
   * @return whether all bytes came; if not, those that did not are zeros
   */
  boolean read(long iova, MemorySegment target);

  /**
   * Writes memory by DMA.
   *
   * @param iova the first IO virtual address
   * @param source the bytes
   * @return whether all bytes may be written; those that may not are dropped
   */
  boolean write(long iova, MemorySegment source);

  /**
   * Sends a message-signalled interrupt, as MSI or MSI-X, whichever the driver has enabled.
   *
   * @param vector which one, from 0
   */
  void raiseMessage(int vector);

  /**
   * Returns whether the driver has enabled MSI or MSI-X, so that the line is not used.
   *
   * @return whether {@link #raiseMessage} reaches anybody
   */
  boolean messagesEnabled();

  /**
   * Asserts or releases the line interrupt (INTx).
   *
   * @param asserted whether the device wants attention
   */
  void setLine(boolean asserted);

  /**
   * Returns the memory of a BAR that is plain memory, which the driver sees at once.
   *
   * @param bar the number of the BAR
   * @return its bytes
   * @throws IllegalArgumentException if the BAR is not plain memory
   */
  MemorySegment barMemory(int bar);
}
