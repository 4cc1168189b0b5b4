package io.github.vfio4j;

/** What a device may do with memory that is mapped for it. */
public enum DmaAccess {
  /** The device may read the memory. */
  READ(true, false),

  /** The device may write the memory. */
  WRITE(false, true),

  /** The device may read and write the memory. */
  READ_WRITE(true, true);

  private final boolean readable;
  private final boolean writable;

  DmaAccess(boolean readable, boolean writable) {
    this.readable = readable;
    this.writable = writable;
  }

  /**
   * Returns whether the device may read.
   *
   * @return whether DMA from memory to the device is allowed
   */
  public boolean readable() {
    return readable;
  }

  /**
   * Returns whether the device may write.
   *
   * @return whether DMA from the device to memory is allowed
   */
  public boolean writable() {
    return writable;
  }
}
