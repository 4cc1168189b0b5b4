package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Objects of an iommufd end in an order that the kernel takes, or stay as they are. */
class IommufdObjectTest {
  private static final ArmSmmuv3StreamTableEntry ENTRY = new ArmSmmuv3StreamTableEntry(1, 0);

  @TempDir Path root;
  private FakeMachine machine;
  private Iommufd iommufd;
  private Ioas ioas;
  private CdevDevice device;

  @BeforeEach
  void bind() throws VfioException {
    machine = new FakeMachine(root);
    iommufd = Iommufd.open(machine.host);
    ioas = iommufd.allocateIoas();
    device = iommufd.bind(machine.device());
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    iommufd.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private Viommu viommu() throws VfioException {
    return ioas.allocateHwpt(device, HwptFlag.NEST_PARENT)
        .allocateViommu(device, Viommu.ARM_SMMUV3);
  }

  @Test
  void closingTheAddressSpaceClosesWhatWasMadeFromIt() throws VfioException {
    Viommu viommu = viommu();
    VeventQueue events = viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 1);
    HwptNested nested = viommu.allocateNested(device, ENTRY);
    Vdevice vdevice = viommu.allocateVdevice(device, 1);

    ioas.close();
    ioas.close();
    vdevice.close();
    nested.close();

    assertThatIllegalStateException()
        .isThrownBy(() -> device.attach(nested))
        .withMessageContaining("nested HWPT " + nested.id() + " is closed");
    assertThatIllegalStateException().isThrownBy(() -> viommu.allocateNested(device, ENTRY));
    assertThatIllegalStateException().isThrownBy(() -> events.await(Duration.ZERO));
    assertThatIllegalStateException().isThrownBy(() -> ioas.allocateHwpt(device));
  }

  @Test
  void whatADeviceUsesStaysOpenAndUsable() throws VfioException {
    Viommu viommu = viommu();
    HwptNested nested = viommu.allocateNested(device, ENTRY);
    HwptNested other = viommu.allocateNested(device, ENTRY);
    VeventQueue events = viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 1);
    Vdevice vdevice = viommu.allocateVdevice(device, 1);
    device.attach(nested);

    for (AutoCloseable inUse : new AutoCloseable[] {nested, viommu, viommu.parent(), ioas}) {
      assertThatExceptionOfType(DeviceBusyException.class)
          .isThrownBy(inUse::close)
          .withMessageContaining("IOMMU_DESTROY")
          .withMessageContaining("EBUSY");
    }
    assertThat(events.await(Duration.ZERO)).isEmpty();
    assertThat(machine.kernel.has(vdevice.id())).isTrue();
    viommu.allocateNested(device, ENTRY).close();
    ioas.allocateHwpt(device).close();
    device.attach(other);

    device.detach();
    ioas.close();
  }

  @Test
  void pageTablesOfAnAddressSpaceInUseStayUsable() throws VfioException {
    HwptPaging hwpt = ioas.allocateHwpt(device);
    device.attach(ioas);

    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(ioas::close);

    device.attach(hwpt);
  }

  @Test
  void theFaultQueueEndsAfterThePageTablesThatDeliverToIt() throws VfioException {
    FaultQueue faults = iommufd.allocateFaultQueue();
    HwptPaging hwpt = ioas.allocateHwpt(device, faults);
    device.attach(hwpt);

    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(faults::close);
    assertThat(faults.await(Duration.ZERO)).isEmpty();

    device.detach();
    faults.close();
    assertThatIllegalStateException().isThrownBy(() -> device.attach(hwpt));
    assertThatIllegalStateException().isThrownBy(() -> faults.await(Duration.ZERO));
  }

  @Test
  void aQueueThatTheKernelDoesNotLetGoIsClosedLater() throws VfioException {
    FaultQueue faults = iommufd.allocateFaultQueue();
    machine.kernel.fail(Ioctl.IOMMU_DESTROY, Errno.EBUSY);
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(faults::close);
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(faults::close);

    machine.kernel.failNoMore();
    faults.close();

    assertThat(machine.kernel.has(faults.id())).isFalse();
  }

  @Test
  void whatTheKernelDoesNotDestroyIsNotClosed() throws VfioException {
    HwptPaging hwpt = ioas.allocateHwpt(device);
    machine.kernel.fail(Ioctl.IOMMU_DESTROY, Errno.EIO);
    for (AutoCloseable refused : new AutoCloseable[] {hwpt, ioas}) {
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(refused::close)
          .satisfies(e -> assertThat(e.errno()).contains(Errno.EIO));
    }

    machine.kernel.failNoMore();
    device.attach(hwpt);
    device.detach();
    hwpt.close();
    ioas.close();

    assertThat(machine.kernel.has(hwpt.id())).isFalse();
    assertThat(machine.kernel.has(ioas.id())).isFalse();
  }

  @Test
  void theDeviceTakesItsGuestsNumberWithIt() throws VfioException {
    Viommu viommu = viommu();
    Vdevice vdevice = viommu.allocateVdevice(device, 7);
    device.attach(viommu.allocateNested(device, ENTRY));

    device.close();

    assertThat(machine.kernel.log())
        .filteredOn(operation -> operation.matches("IOMMU_DESTROY|.*_DETACH_.*"))
        .containsExactly("VFIO_DEVICE_DETACH_IOMMUFD_PT", "IOMMU_DESTROY");
    vdevice.close();
    assertThat(machine.kernel.log()).containsOnlyOnce("IOMMU_DESTROY");
  }

  @Test
  void anObjectThatIsGoneAlreadyIsClosed() throws VfioException {
    Vdevice vdevice = viommu().allocateVdevice(device, 7);
    machine.kernel.lose(vdevice.id());

    vdevice.close();
  }

  @Test
  void objectsOfAnotherIommufdAreRefused() throws VfioException {
    try (Iommufd other = Iommufd.open(machine.host)) {
      Ioas foreign = other.allocateIoas();

      assertThatIllegalArgumentException().isThrownBy(() -> device.attach(foreign));
      assertThatIllegalArgumentException().isThrownBy(() -> foreign.allocateHwpt(device));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.copy(foreign, 0, 0, 4096, DmaAccess.READ));
      assertThatIllegalArgumentException().isThrownBy(() -> iommufd.setCompatibilityIoas(foreign));
    }
  }

  @Test
  void aReaderThatWaitsIsWokenByClosing() throws Exception {
    FaultQueue faults = iommufd.allocateFaultQueue();
    try (var threads = Executors.newFixedThreadPool(2)) {
      var first = threads.submit(() -> faults.await(Duration.ofDays(1)));
      var second = threads.submit(() -> faults.await(Duration.ofSeconds(Long.MAX_VALUE)));

      iommufd.close();

      for (var reader : new java.util.concurrent.Future<?>[] {first, second}) {
        assertThatThrownBy(() -> reader.get(20, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(IllegalStateException.class);
      }
    }
  }

  @Test
  void aRefusedInvalidationTellsHowFarTheKernelCame() throws VfioException {
    Viommu viommu = viommu();
    InvalidationBatch batch = InvalidationBatch.armSmmuv3(2).addArmSmmuv3(1, 2);
    assertThatIllegalStateException().isThrownBy(() -> batch.addVtdS1(0, 1, true));
    batch.addArmSmmuv3(3, 4);
    assertThatIllegalStateException().isThrownBy(() -> batch.addArmSmmuv3(5, 6));
    machine.kernel.fail(Ioctl.IOMMU_HWPT_INVALIDATE, Errno.EIO);

    assertThatExceptionOfType(InvalidationException.class)
        .isThrownBy(() -> viommu.invalidate(batch))
        .satisfies(e -> assertThat(e.handled()).isZero())
        .satisfies(e -> assertThat(e.errno()).contains(Errno.EIO));
  }

  @Test
  void whatAnOlderKernelDoesNotHaveNamesTheKernelThatBroughtIt() throws VfioException {
    Viommu viommu = viommu();
    for (Ioctl operation :
        new Ioctl[] {
          Ioctl.IOMMU_IOAS_MAP_FILE, Ioctl.IOMMU_VEVENTQ_ALLOC, Ioctl.IOMMU_HW_QUEUE_ALLOC
        }) {
      machine.kernel.fail(operation, Errno.ENOTTY);
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(
              () -> {
                ioas.mapFile(0, 0, 0, 4096, DmaAccess.READ);
                ioas.unmap(0, 4096);
                viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 1).close();
                viommu.allocateHwQueue(1, 0, 0, 4096).close();
              })
          .withMessageContaining("Linux " + operation.since() + " was the first");
    }
    machine.kernel.fail(Ioctl.IOMMU_HWPT_ALLOC, Errno.EOPNOTSUPP);
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> ioas.allocateHwpt(device, HwptFlag.PASID))
        .withMessageContaining("PASID (Linux 6.15 was the first");
  }

  /** What is mapped is pinned with the first page table, so that is where it fails. */
  @Test
  void aRefusalToPinSaysThatItIsOne() throws VfioException {
    for (Ioctl operation :
        new Ioctl[] {Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, Ioctl.IOMMU_HWPT_ALLOC}) {
      Step pinning =
          operation == Ioctl.IOMMU_HWPT_ALLOC
              ? () -> ioas.allocateHwpt(device)
              : () -> device.attach(ioas);
      machine.kernel.fail(operation, Errno.EFAULT);
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(pinning::run)
          .withMessageContaining(operation.name())
          .withMessageContaining("gone from this process, or not writable as mapped");
      machine.kernel.fail(operation, Errno.ENOMEM);
      assertThatExceptionOfType(MemlockLimitException.class)
          .isThrownBy(pinning::run)
          .withMessageContaining(operation.name());
    }
  }

  @Test
  void aDeviceWithoutPasidsIsNotAttachedByOne() {
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> device.attach(ioas, 1))
        .withMessageContaining("no PASIDs");
    assertThat(device.attached(1)).isEmpty();
  }

  /** The ranges are read last: by then the kernel has done what was asked for. */
  @Test
  void whatTheRangesCannotBeReadAfterIsUndone() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_IOAS_IOVA_RANGES, Errno.EIO);
    assertThatThrownBy(() -> device.attach(ioas)).isInstanceOf(VfioException.class);
    assertThat(device.attached()).isEmpty();
    assertThatThrownBy(() -> ioas.allocateHwpt(device)).isInstanceOf(VfioException.class);
    machine.kernel.failNoMore();
    assertThat(ioas.dependents().isEmpty()).isTrue();
    ioas.close(); // nothing is attached to it

    Ioas former = iommufd.allocateIoas();
    Ioas latter = iommufd.allocateIoas();
    device.attach(former);
    machine.kernel.fail(Ioctl.IOMMU_IOAS_IOVA_RANGES, Errno.EIO);
    assertThatThrownBy(() -> device.attach(latter)).isInstanceOf(VfioException.class);
    machine.kernel.failNoMore();
    assertThat(device.attached()).containsSame(former);
    latter.close();
    assertThatThrownBy(former::close).isInstanceOf(DeviceBusyException.class);
  }
}
