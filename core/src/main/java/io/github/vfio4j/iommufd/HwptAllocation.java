package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The question of {@code IOMMU_HWPT_ALLOC}, for both kinds of page table. */
final class HwptAllocation {
  private HwptAllocation() {}

  /**
   * Makes a page table, which hangs on what it is made from and on its fault queue.
   *
   * @param rollback undoes it
   * @param kind what messages call it, without its number
   * @param from the number of the IOAS, page table or vIOMMU that it is made from
   * @param fromName what messages call that
   * @param owner what hangs on that
   */
  static IommufdObject run(
      Rollback rollback,
      String kind,
      BoundDevice device,
      int from,
      Object fromName,
      Dependents owner,
      Set<HwptFlag> flags,
      @Nullable FaultQueue faults,
      @Nullable HwptData data)
      throws VfioException {
    Iommufd iommufd = device.iommufd();
    if (faults != null) {
      iommufd.require(faults);
    }
    int bits = flags.stream().mapToInt(HwptFlag::bit).sum();
    IommufdObject object =
        faults == null
            ? new IommufdObject(iommufd, kind, owner)
            : new IommufdObject(iommufd, kind, owner, faults.object().dependents());
    rollback.add(object::close);
    try (Arena arena = Arena.ofConfined()) {
      // all that the first kernels know ends before the fault queue
      MemorySegment request =
          Request.of(
              arena,
              iommu_hwpt_alloc.LAYOUT,
              faults == null ? iommu_hwpt_alloc.fault_id$OFFSET : iommu_hwpt_alloc.SIZEOF);
      iommu_hwpt_alloc.dev_id(request, device.id());
      iommu_hwpt_alloc.pt_id(request, from);
      iommu_hwpt_alloc.flags(
          request, bits | (faults == null ? 0 : iommufd_h.IOMMU_HWPT_FAULT_ID_VALID));
      if (faults != null) {
        iommu_hwpt_alloc.fault_id(request, faults.id());
      }
      if (data != null) {
        byte[] bytes = data.bytes();
        MemorySegment copy = arena.allocate(bytes.length, Long.BYTES);
        MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
        iommu_hwpt_alloc.data_type(request, data.type());
        iommu_hwpt_alloc.data_len(request, bytes.length);
        iommu_hwpt_alloc.data_uptr(request, copy.address());
      }
      int answer =
          object.make(Ioctl.IOMMU_HWPT_ALLOC, request, iommu_hwpt_alloc.out_hwpt_id$OFFSET);
      if (answer < 0) {
        String made = fromName + " for " + device;
        VfioException notPinned =
            Pinning.failure(iommufd.kernel(), Ioctl.IOMMU_HWPT_ALLOC, made, answer);
        throw notPinned != null ? notPinned : failure(answer, made, flags, faults, data);
      }
      return object;
    }
  }

  private static VfioException failure(
      int answer,
      String object,
      Set<HwptFlag> flags,
      @Nullable FaultQueue faults,
      @Nullable HwptData data) {
    if (Answer.is(answer, Errno.EOPNOTSUPP) || Answer.is(answer, Errno.E2BIG)) {
      String wanted =
          flags.stream()
              .map(flag -> flag + " (Linux " + flag.since() + " was the first that had it)")
              .collect(Collectors.joining(", "));
      if (faults != null) {
        wanted +=
            (wanted.isEmpty() ? "" : ", ") + "a fault queue (Linux 6.11 was the first that had it)";
      }
      if (data != null) {
        wanted += (wanted.isEmpty() ? "" : ", ") + data;
      }
      return Answer.failure(
          Ioctl.IOMMU_HWPT_ALLOC,
          object,
          answer,
          "this kernel or this IOMMU has no page table with "
              + (wanted.isEmpty() ? "mappings of its own" : wanted));
    }
    if (Answer.is(answer, Errno.EIO) && data != null) {
      return Answer.failure(
          Ioctl.IOMMU_HWPT_ALLOC, object, answer, "the IOMMU's driver refuses " + data);
    }
    if (Answer.is(answer, Errno.EINVAL) && data != null) {
      return Answer.failure(
          Ioctl.IOMMU_HWPT_ALLOC,
          object,
          answer,
          "the page table was made without NEST_PARENT, or is not for this device's IOMMU, or "
              + data
              + " is not for it");
    }
    if (Answer.is(answer, Errno.ENOENT)) {
      return Answer.failure(
          Ioctl.IOMMU_HWPT_ALLOC,
          object,
          answer,
          "no IOMMU translates for this device, as for a mediated one, or it is gone");
    }
    return Answer.failure(Ioctl.IOMMU_HWPT_ALLOC, object, answer);
  }
}
