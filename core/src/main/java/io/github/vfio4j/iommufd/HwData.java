package io.github.vfio4j.iommufd;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/**
 * What is particular to one kind of IOMMU, as the kernel gave it: part of {@link HwInfo}.
 *
 * <p>A class for each kind reads it: {@link io.github.vfio4j.vtd.VtdHwInfo}, {@link
 * io.github.vfio4j.smmuv3.ArmSmmuv3HwInfo}, {@link io.github.vfio4j.smmuv3.Tegra241CmdqvHwInfo} and
 * {@link io.github.vfio4j.amd.AmdHwInfo}.
 */
public final class HwData {
  private final int type;
  private final byte[] bytes;

  /**
   * Takes a copy of the data.
   *
   * @param type the kernel's number of this kind of IOMMU
   * @param bytes the structure of that kind
   */
  public HwData(int type, byte[] bytes) {
    this.type = type;
    this.bytes = bytes.clone();
  }

  /**
   * Returns the kernel's number of this kind of IOMMU.
   *
   * @return one of the {@code IOMMU_HW_INFO_TYPE_} numbers; 0 where the driver says nothing
   */
  public int type() {
    return type;
  }

  /**
   * Returns the description as the kernel gave it.
   *
   * @return a fresh array; empty where the IOMMU's driver says nothing
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /**
   * Returns the description as a segment, if it is of one kind and whole.
   *
   * @param wanted the kernel's number of the kind
   * @param size bytes of its structure
   * @return the bytes, aligned for every field; empty where it is another kind, or shorter
   */
  public Optional<MemorySegment> structure(int wanted, long size) {
    if (type != wanted || bytes.length < size) {
      return Optional.empty();
    }
    MemorySegment structure = MemorySegment.ofArray(new long[(bytes.length + 7) / 8]);
    structure.asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    return Optional.of(structure);
  }

  /** Compares type and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof HwData raw && type == raw.type && Arrays.equals(bytes, raw.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * type + Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "hardware of type 0x%x, %d bytes".formatted(type, bytes.length);
  }
}
