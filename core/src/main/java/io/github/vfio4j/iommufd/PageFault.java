package io.github.vfio4j.iommufd;

import io.github.vfio4j.bindings.iommu_hwpt_pgfault;
import io.github.vfio4j.bindings.iommufd_h;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/**
 * A page that a device wants and its page table does not have. The device waits for the answer.
 *
 * @param flags the {@code IOMMU_PGFAULT_FLAGS_} bits
 * @param deviceId the number of the device in its iommufd, as {@link BoundDevice#id} gives it
 * @param rawPasid the PASID, which means something only where {@link #pasid} has it
 * @param group the number that the device has given to the group of requests
 * @param permissions what the device wants: the {@code IOMMU_PGFAULT_PERM_} bits
 * @param address where
 * @param length a hint of how many bytes it will want from there on, or 0
 * @param cookie what the answer names: one for all faults of a group
 */
public record PageFault(
    int flags,
    int deviceId,
    int rawPasid,
    int group,
    int permissions,
    long address,
    int length,
    int cookie) {

  static PageFault read(MemorySegment fault) {
    return new PageFault(
        iommu_hwpt_pgfault.flags(fault),
        iommu_hwpt_pgfault.dev_id(fault),
        iommu_hwpt_pgfault.pasid(fault),
        iommu_hwpt_pgfault.grpid(fault),
        iommu_hwpt_pgfault.perm(fault),
        iommu_hwpt_pgfault.addr(fault),
        iommu_hwpt_pgfault.length(fault),
        iommu_hwpt_pgfault.cookie(fault));
  }

  /**
   * Returns in which of the device's address spaces the page is wanted.
   *
   * @return the PASID, or empty for requests without one
   */
  public OptionalInt pasid() {
    return (flags & iommufd_h.IOMMU_PGFAULT_FLAGS_PASID_VALID) == 0
        ? OptionalInt.empty()
        : OptionalInt.of(rawPasid);
  }

  /**
   * Returns whether this is the last request of its group: with it the group can be answered.
   *
   * @return whether no more of the group follow
   */
  public boolean last() {
    return (flags & iommufd_h.IOMMU_PGFAULT_FLAGS_LAST_PAGE) != 0;
  }

  /**
   * Returns whether the device wants to read.
   *
   * @return whether the page has to be readable
   */
  public boolean read() {
    return (permissions & iommufd_h.IOMMU_PGFAULT_PERM_READ) != 0;
  }

  /**
   * Returns whether the device wants to write.
   *
   * @return whether the page has to be writable
   */
  public boolean write() {
    return (permissions & iommufd_h.IOMMU_PGFAULT_PERM_WRITE) != 0;
  }

  /**
   * Returns whether the device wants to execute what it reads.
   *
   * @return whether it does
   */
  public boolean execute() {
    return (permissions & iommufd_h.IOMMU_PGFAULT_PERM_EXEC) != 0;
  }

  /**
   * Returns whether the device asks in privileged mode.
   *
   * @return whether it does
   */
  public boolean privileged() {
    return (permissions & iommufd_h.IOMMU_PGFAULT_PERM_PRIV) != 0;
  }
}
