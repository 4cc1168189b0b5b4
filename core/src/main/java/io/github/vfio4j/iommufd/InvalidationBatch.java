package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.bindings.iommu_hwpt_vtd_s1_invalidate;
import io.github.vfio4j.bindings.iommu_viommu_arm_smmuv3_invalidate;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What an IOMMU shall forget: entries of one kind, carried out together.
 *
 * <p>A batch has room for a number of entries, and can be cleared and filled again; neither filling
 * nor carrying it out allocates. Not thread-safe.
 */
public final class InvalidationBatch {
  private static final int MOST = 1 << 20;

  private final int type;
  private final int entrySize;
  private final int capacity;
  private final MemorySegment entries;
  private final MemorySegment request;
  private int size;

  private InvalidationBatch(int type, int entrySize, int capacity) {
    if (entrySize <= 0 || capacity <= 0 || (long) entrySize * capacity > MOST) {
      throw new IllegalArgumentException(
          "A batch of %d entries of %d bytes: both are above 0, and all together at most %d bytes"
              .formatted(capacity, entrySize, MOST));
    }
    this.type = type;
    this.entrySize = entrySize;
    this.capacity = capacity;
    this.entries = Arena.ofAuto().allocate((long) entrySize * capacity, Long.BYTES);
    this.request = Request.of(Arena.ofAuto(), iommu_hwpt_invalidate.LAYOUT);
    iommu_hwpt_invalidate.data_uptr(request, entries.address());
    iommu_hwpt_invalidate.data_type(request, type);
    iommu_hwpt_invalidate.entry_len(request, entrySize);
  }

  /**
   * Makes an empty batch for a {@link HwptNested} of Intel's VT-d.
   *
   * @param capacity for how many entries
   * @return the batch; fill it by {@link #addVtdS1}
   * @throws IllegalArgumentException if it is not positive or too large
   */
  public static InvalidationBatch vtdS1(int capacity) {
    return new InvalidationBatch(
        iommufd_h.IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
        (int) iommu_hwpt_vtd_s1_invalidate.SIZEOF,
        capacity);
  }

  /**
   * Makes an empty batch for a {@link Viommu} of Arm's SMMUv3.
   *
   * @param capacity for how many commands
   * @return the batch; fill it by {@link #addArmSmmuv3}
   * @throws IllegalArgumentException if it is not positive or too large
   */
  public static InvalidationBatch armSmmuv3(int capacity) {
    return new InvalidationBatch(
        iommufd_h.IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
        (int) iommu_viommu_arm_smmuv3_invalidate.SIZEOF,
        capacity);
  }

  /**
   * Makes an empty batch of a kind that this library does not know.
   *
   * @param type the kernel's number of the kind
   * @param entrySize bytes of one entry
   * @param capacity for how many entries
   * @return the batch; fill it by {@link #add}
   * @throws IllegalArgumentException if a size is not positive or they are too large together
   */
  public static InvalidationBatch raw(int type, int entrySize, int capacity) {
    return new InvalidationBatch(type, entrySize, capacity);
  }

  /**
   * Adds an entry for VT-d: what is cached of a range of the page table.
   *
   * @param address the first address, a multiple of 4096
   * @param pages how many pages of 4096 bytes; -1 with address 0 stands for all
   * @param leafOnly whether only the last level has changed
   * @return this batch
   * @throws IllegalStateException if the batch is full or of another kind
   */
  public InvalidationBatch addVtdS1(long address, long pages, boolean leafOnly) {
    long at =
        next(iommufd_h.IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, iommu_hwpt_vtd_s1_invalidate.SIZEOF);
    entries.set(JAVA_LONG, at + iommu_hwpt_vtd_s1_invalidate.addr$OFFSET, address);
    entries.set(JAVA_LONG, at + iommu_hwpt_vtd_s1_invalidate.npages$OFFSET, pages);
    entries.set(
        JAVA_INT,
        at + iommu_hwpt_vtd_s1_invalidate.flags$OFFSET,
        leafOnly ? iommufd_h.IOMMU_VTD_INV_FLAGS_LEAF : 0);
    size++;
    return this;
  }

  /**
   * Adds a command for SMMUv3, as it is in its command queue.
   *
   * @param word0 the first double word
   * @param word1 the second one
   * @return this batch
   * @throws IllegalStateException if the batch is full or of another kind
   */
  public InvalidationBatch addArmSmmuv3(long word0, long word1) {
    long at =
        next(
            iommufd_h.IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
            iommu_viommu_arm_smmuv3_invalidate.SIZEOF);
    entries.set(JAVA_LONG, at, word0);
    entries.set(JAVA_LONG, at + Long.BYTES, word1);
    size++;
    return this;
  }

  /**
   * Adds an entry as the kernel reads it.
   *
   * @param entry exactly the bytes of one entry
   * @return this batch
   * @throws IllegalArgumentException if the entry has another size
   * @throws IllegalStateException if the batch is full
   */
  public InvalidationBatch add(MemorySegment entry) {
    if (entry.byteSize() != entrySize) {
      throw new IllegalArgumentException(
          "An entry of %d bytes in a batch of entries of %d"
              .formatted(entry.byteSize(), entrySize));
    }
    long at = next(type, entrySize);
    MemorySegment.copy(entry, 0, entries, at, entrySize);
    size++;
    return this;
  }

  private long next(int wanted, long bytes) {
    if (wanted != type || bytes != entrySize) {
      throw new IllegalStateException(
          "The batch is for entries of type 0x%x with %d bytes".formatted(type, entrySize));
    }
    if (size >= capacity) {
      throw new IllegalStateException("The batch is full: " + capacity + " entries");
    }
    return (long) size * entrySize;
  }

  /**
   * Takes all entries out.
   *
   * @return this batch
   */
  public InvalidationBatch clear() {
    size = 0;
    return this;
  }

  /**
   * Returns how many entries there are.
   *
   * @return their number
   */
  public int size() {
    return size;
  }

  /**
   * Returns how many entries there is room for.
   *
   * @return as given when it was made
   */
  public int capacity() {
    return capacity;
  }

  /** Carries the batch out on a nested page table or a vIOMMU. */
  void run(IommufdObject target) throws VfioException {
    int asked = Math.min(size, capacity); // two threads at once may have counted too far
    synchronized (target.iommufd()) {
      target.requireOpen();
      int answer = issue(target, asked);
      int handled = iommu_hwpt_invalidate.entry_num(request);
      // a number that makes no sense, as the one that was asked with after a refusal, tells nothing
      int done = handled >= 0 && handled < asked ? handled : 0;
      if (answer < 0) {
        throw refusal(target, answer, carryOut(target, done), asked);
      }
      if (handled != asked) {
        throw new InvalidationException(
            Ioctl.IOMMU_HWPT_INVALIDATE.name(),
            target.toString(),
            null,
            "the kernel has carried out " + handled + " of " + asked + " entries",
            done);
      }
    }
  }

  private int issue(IommufdObject target, int entries) {
    iommu_hwpt_invalidate.hwpt_id(request, target.id());
    iommu_hwpt_invalidate.entry_num(request, entries);
    return target.iommufd().ioctl(Ioctl.IOMMU_HWPT_INVALIDATE, request);
  }

  /** Sees to it that the entries before a refused one are carried out, and returns their number. */
  private int carryOut(IommufdObject target, int done) {
    // up to Linux 7.3, the driver of SMMUv3 also counts commands that it has not given to the
    // hardware yet and then drops; to give the others twice does no harm
    boolean again = done > 0 && type == iommufd_h.IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3;
    return again && issue(target, done) < 0 ? 0 : done;
  }

  private VfioException refusal(IommufdObject target, int answer, int done, int asked) {
    Errno errno = new Errno(-answer);
    // drivers refuse bits of an entry that they do not know with EOPNOTSUPP, too
    if (errno.equals(Errno.ENOTTY) || (errno.equals(Errno.EOPNOTSUPP) && done == 0)) {
      return Answer.failure(
          Ioctl.IOMMU_HWPT_INVALIDATE,
          target.toString(),
          answer,
          "it has no invalidation of type 0x%x, or not of such an entry".formatted(type));
    }
    return new InvalidationException(
        Ioctl.IOMMU_HWPT_INVALIDATE.name(),
        target.toString(),
        errno,
        asked == 0
            ? "it has no invalidation of type 0x%x".formatted(type)
            : "entry %d of %d is refused, those before it are carried out".formatted(done, asked),
        done);
  }

  /** Returns how many entries it has, and of which type. */
  @Override
  public String toString() {
    return "%d of %d invalidations of type 0x%x".formatted(size, capacity, type);
  }
}
