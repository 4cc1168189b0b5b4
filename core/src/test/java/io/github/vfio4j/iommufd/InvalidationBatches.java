package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Has a batch carried out by a kernel that notes what it reads, for tests of other packages. */
public final class InvalidationBatches {
  private InvalidationBatches() {}

  /** Returns the double words of all entries, as the kernel reads them from a vIOMMU's user. */
  public static List<Long> read(InvalidationBatch batch, Path root) throws VfioException {
    List<Long> words = new ArrayList<>();
    FakeMachine machine = new FakeMachine(root);
    machine.kernel.tamper(
        (operation, request) -> {
          if (operation == Ioctl.IOMMU_HWPT_INVALIDATE) {
            entries(request).elements(JAVA_LONG).forEach(word -> words.add(word.get(JAVA_LONG, 0)));
          }
        });
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      CdevDevice device = iommufd.bind(machine.device());
      Ioas ioas = iommufd.allocateIoas();
      ioas.allocateHwpt(device, HwptFlag.NEST_PARENT)
          .allocateViommu(device, Viommu.ARM_SMMUV3)
          .invalidate(batch);
    }
    return words;
  }

  @SuppressWarnings("restricted") // the request says where the entries are
  private static MemorySegment entries(MemorySegment request) {
    long size =
        (long) iommu_hwpt_invalidate.entry_num(request) * iommu_hwpt_invalidate.entry_len(request);
    return MemorySegment.ofAddress(iommu_hwpt_invalidate.data_uptr(request)).reinterpret(size);
  }
}
