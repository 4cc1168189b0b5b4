package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the kernel has done something and its answer is lost on the way, it is undone. */
class LostAnswerTest {
  @TempDir Path root;
  private FakeMachine machine;
  private Iommufd iommufd;
  private Ioas ioas;
  private CdevDevice device;
  private HwptPaging parent;

  @BeforeEach
  void bind() throws VfioException {
    machine = new FakeMachine(root);
    iommufd = Iommufd.open(machine.host);
    ioas = iommufd.allocateIoas();
    device = iommufd.bind(machine.device());
    parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    iommufd.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void lose(Ioctl operation, Step step) throws VfioException {
    List<String> before = machine.kernel.leftOpen();
    Error lost = new OutOfMemoryError("for a test");
    machine.kernel.tamper(
        (done, reply) -> {
          if (done == operation) {
            throw lost;
          }
        });

    assertThatThrownBy(step::run).isSameAs(lost);

    assertThat(machine.kernel.leftOpen()).as(operation.name()).isEqualTo(before);
    machine.kernel.tamper((done, reply) -> {});
    step.run();
  }

  @Test
  void addressSpacesAndWhatIsInThem() throws VfioException {
    lose(Ioctl.IOMMU_IOAS_ALLOC, iommufd::allocateIoas);
    lose(Ioctl.IOMMU_IOAS_MAP, () -> ioas.allocate(4096));
  }

  @Test
  void pageTablesAndQueues() throws VfioException {
    lose(Ioctl.IOMMU_HWPT_ALLOC, () -> ioas.allocateHwpt(device));
    lose(Ioctl.IOMMU_FAULT_QUEUE_ALLOC, iommufd::allocateFaultQueue);
  }

  @Test
  void whatIsMadeForAGuest() throws VfioException {
    lose(Ioctl.IOMMU_VIOMMU_ALLOC, () -> parent.allocateViommu(device, Viommu.ARM_SMMUV3));
    Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
    lose(Ioctl.IOMMU_VDEVICE_ALLOC, () -> viommu.allocateVdevice(device, 5));
    lose(Ioctl.IOMMU_VEVENTQ_ALLOC, () -> viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 4));
    lose(
        Ioctl.IOMMU_HWPT_ALLOC,
        () -> viommu.allocateNested(device, new ArmSmmuv3StreamTableEntry(1, 0)));
    ioas.map(Arena.ofAuto().allocate(4096, 4096), 0x10000, DmaAccess.READ);
    lose(
        Ioctl.IOMMU_HW_QUEUE_ALLOC,
        () -> viommu.allocateHwQueue(HwQueue.TEGRA241_CMDQV, 0, 0x10000, 4096));
  }

  /** There is room for it before the kernel is asked, so nothing can fail afterwards. */
  @Test
  void whatIsBeingMadeHangsOnItsOwnerAlready() throws VfioException {
    machine.kernel.tamper(
        (done, reply) -> {
          if (done == Ioctl.IOMMU_VIOMMU_ALLOC) {
            assertThat(parent.object.dependents().isEmpty()).isFalse();
          }
        });
    parent.allocateViommu(device, Viommu.ARM_SMMUV3);

    assertThat(machine.kernel.log()).contains("IOMMU_VIOMMU_ALLOC");
  }

  @Test
  void devices() throws VfioException {
    device.close();
    lose(Ioctl.VFIO_DEVICE_BIND_IOMMUFD, () -> device = iommufd.bind(machine.device()));
  }
}
