package io.github.vfio4j.smmuv3;

/**
 * How a mapping in {@link Stage1Tables} differs from the ordinary one, which unprivileged DMA reads
 * and writes, and which is cached memory.
 */
public enum PageFlag {
  /** DMA may read only; writing is a permission fault. It sets AP[2]. */
  READ_ONLY(1L << 7, 0),

  /**
   * Only privileged DMA has access, which PCIe devices without PASIDs never do: all of theirs is a
   * permission fault. It clears AP[1].
   */
  PRIVILEGED(0, 1L << 6),

  /**
   * The access flag (AF) is clear: any access is an access fault, by which a guest learns of the
   * first one.
   */
  NOT_ACCESSED(0, 1L << 10),

  /** What is mapped is registers, such as those that take interrupt messages. */
  DEVICE_MEMORY((long) ContextDescriptor.DEVICE_MEMORY << 2, 0);

  /** AP[1], SH = inner shareable, AF, nG, PXN and XN. */
  private static final long ORDINARY =
      1L << 6 | 3L << 8 | 1L << 10 | 1L << 11 | 1L << 53 | 1L << 54;

  private final long set;
  private final long cleared;

  PageFlag(long set, long cleared) {
    this.set = set;
    this.cleared = cleared;
  }

  /** Returns the attributes of an entry with these flags. */
  static long attributes(PageFlag... flags) {
    long attributes = ORDINARY;
    for (PageFlag flag : flags) {
      attributes = (attributes & ~flag.cleared) | flag.set;
    }
    return attributes;
  }
}
