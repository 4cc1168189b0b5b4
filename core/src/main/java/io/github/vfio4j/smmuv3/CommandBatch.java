package io.github.vfio4j.smmuv3;

import io.github.vfio4j.iommufd.InvalidationBatch;

/**
 * Invalidation commands for a {@link io.github.vfio4j.iommufd.Viommu} of SMMUv3, by the names that
 * they have in its command queue.
 *
 * <p>Stream IDs are the guest's, which {@link io.github.vfio4j.iommufd.Viommu#allocateVdevice} has
 * given; the kernel puts the real ones in their place, and the guest's VMID. Commands are added in
 * the order in which they are carried out. Adding allocates nothing. Not thread-safe.
 */
public final class CommandBatch {
  private static final int CFGI_CD = 0x05;
  private static final int CFGI_CD_ALL = 0x06;
  private static final int TLBI_NH_ALL = 0x10;
  private static final int TLBI_NH_ASID = 0x11;
  private static final int TLBI_NH_VA = 0x12;
  private static final int TLBI_NH_VAA = 0x13;
  private static final int TLBI_NSNH_ALL = 0x30;
  private static final int ATC_INV = 0x40;

  private static final long LEAF = 1;
  private static final long SUBSTREAM_VALID = 1L << 11;
  private static final int SUBSTREAM = 12;
  private static final int STREAM = 32;
  private static final int ASID = 48;

  private static final int SUBSTREAM_BITS = 20;
  private static final int ASID_BITS = 16;
  private static final int WHOLE_ADDRESS_SPACE = 52;

  private final InvalidationBatch batch;

  /**
   * Makes an empty batch.
   *
   * @param capacity for how many commands
   * @throws IllegalArgumentException if that is not positive, or above 65536
   */
  public CommandBatch(int capacity) {
    this.batch = InvalidationBatch.armSmmuv3(capacity);
  }

  /**
   * Returns the commands in the form that {@link io.github.vfio4j.iommufd.Viommu#invalidate} takes.
   *
   * @return always the same object, in which later commands appear too
   */
  public InvalidationBatch batch() {
    return batch;
  }

  /**
   * Takes all commands out.
   *
   * @return this batch
   */
  public CommandBatch clear() {
    batch.clear();
    return this;
  }

  /**
   * Forgets one address of one address space, at every level of its tables; {@code TLBI_NH_VA}.
   *
   * @param asid the address space ID
   * @param address an input address in the page or block, a multiple of 4096
   * @return this batch
   * @throws IllegalArgumentException if a number is not as said
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNhVa(int asid, long address) {
    return add(TLBI_NH_VA | asid(asid), page(address));
  }

  /**
   * Forgets the page or block of one address of one address space, but not the tables above it,
   * which have not changed; {@code TLBI_NH_VA} with {@code Leaf}.
   *
   * @param asid the address space ID
   * @param address an input address in the page or block, a multiple of 4096
   * @return this batch
   * @throws IllegalArgumentException if a number is not as said
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNhVaLeaf(int asid, long address) {
    return add(TLBI_NH_VA | asid(asid), page(address) | LEAF);
  }

  /**
   * Forgets one address of every address space of the guest; {@code TLBI_NH_VAA}.
   *
   * @param address an input address in the page or block, a multiple of 4096
   * @return this batch
   * @throws IllegalArgumentException if the address is not as said
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNhVaa(long address) {
    return add(TLBI_NH_VAA, page(address));
  }

  /**
   * Forgets one address space; {@code TLBI_NH_ASID}.
   *
   * @param asid the address space ID
   * @return this batch
   * @throws IllegalArgumentException if that has more than 16 bits
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNhAsid(int asid) {
    return add(TLBI_NH_ASID | asid(asid), 0);
  }

  /**
   * Forgets all address spaces of the guest; {@code TLBI_NH_ALL}.
   *
   * @return this batch
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNhAll() {
    return add(TLBI_NH_ALL, 0);
  }

  /**
   * Forgets all that is not secure and no hypervisor's: of the guest, what {@link #tlbiNhAll} does;
   * {@code TLBI_NSNH_ALL}.
   *
   * @return this batch
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch tlbiNsnhAll() {
    return add(TLBI_NSNH_ALL, 0);
  }

  /**
   * Forgets the context descriptor of a stream that has no substreams, or of one substream; {@code
   * CFGI_CD} with {@code Leaf}. What its tables translated is forgotten by commands of its own.
   *
   * @param stream the guest's stream ID
   * @param substream the substream ID, which is the PASID; 0 where there are none
   * @return this batch
   * @throws IllegalArgumentException if a stream has more than 32 bits or a substream more than 20
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch cfgiCd(long stream, int substream) {
    return add(CFGI_CD | stream(stream) | substream(substream), LEAF);
  }

  /**
   * Forgets all context descriptors of a stream; {@code CFGI_CD_ALL}.
   *
   * @param stream the guest's stream ID
   * @return this batch
   * @throws IllegalArgumentException if that has more than 32 bits
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch cfgiCdAll(long stream) {
    return add(CFGI_CD_ALL | stream(stream), 0);
  }

  /**
   * Makes a device forget a range that it has asked to be translated in advance (ATS), of requests
   * without a substream; {@code ATC_INV}.
   *
   * @param stream the guest's stream ID
   * @param address an input address in the range, a multiple of 4096
   * @param pages how many pages of 4096 bytes the range has, as a power of two: from 0 for one page
   *     to 52 for everything
   * @return this batch
   * @throws IllegalArgumentException if a number is not as said
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch atcInv(long stream, long address, int pages) {
    return add(ATC_INV | stream(stream), page(address) | size(pages));
  }

  /**
   * Makes a device forget such a range of one substream; {@code ATC_INV} with {@code SSV}.
   *
   * @param stream the guest's stream ID
   * @param substream the substream ID, which is the PASID
   * @param address an input address in the range, a multiple of 4096
   * @param pages the size of the range, as a power of two of pages, from 0 to 52
   * @return this batch
   * @throws IllegalArgumentException if a number is not as said
   * @throws IllegalStateException if the batch is full
   */
  public CommandBatch atcInv(long stream, int substream, long address, int pages) {
    return add(
        ATC_INV | SUBSTREAM_VALID | stream(stream) | substream(substream),
        page(address) | size(pages));
  }

  private CommandBatch add(long word0, long word1) {
    batch.addArmSmmuv3(word0, word1);
    return this;
  }

  static void requireAsid(int asid) {
    if (asid >>> ASID_BITS != 0) {
      throw new IllegalArgumentException(
          "An address space ID has %d bits, not as %d".formatted(ASID_BITS, asid));
    }
  }

  private static long asid(int asid) {
    requireAsid(asid);
    return (long) asid << ASID;
  }

  private static long stream(long stream) {
    if (stream >>> STREAM != 0) {
      throw new IllegalArgumentException("A stream ID has 32 bits, not as 0x%x".formatted(stream));
    }
    return stream << STREAM;
  }

  private static long substream(int substream) {
    if (substream >>> SUBSTREAM_BITS != 0) {
      throw new IllegalArgumentException(
          "A substream ID has %d bits, not as 0x%x".formatted(SUBSTREAM_BITS, substream));
    }
    return (long) substream << SUBSTREAM;
  }

  private static long page(long address) {
    if (address % Stage1Tables.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "0x%x is not a multiple of %d".formatted(address, Stage1Tables.PAGE_SIZE));
    }
    return address;
  }

  private static long size(int pages) {
    if (pages < 0 || pages > WHOLE_ADDRESS_SPACE) {
      throw new IllegalArgumentException(
          "A range has 2^0 to 2^%d pages, not 2^%d".formatted(WHOLE_ADDRESS_SPACE, pages));
    }
    return pages;
  }

  /** Returns how many commands it has. */
  @Override
  public String toString() {
    return "commands for SMMUv3: " + batch;
  }
}
