package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.HotReset;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.time.Duration;

/** Devices that no IOMMU guards interrupt, and are reset, as others are. */
@OnMachine(value = "bare", since = "7.3")
class UnguardedResetTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int HUGE = 2 << 20;

  /** Of igb: where its first queue for transmission is, and how it interrupts. */
  private static final long QUEUE = 0xe000;

  private static final int GPIE = 0x1514;
  private static final int EICS = 0x1520;
  private static final int EIMS = 0x1524;
  private static final int IVAR0 = 0x1700;
  private static final int SEVERAL_VECTORS = 1 << 4;
  private static final int SECOND_VECTOR = 0x81; // of the first queue, valid

  /** Opens devices on one interface, and has memory whose physical address it knows. */
  private static final class Unguarded implements AutoCloseable {
    private final Backend backend;
    private final Iommufd iommufd = Iommufd.open();
    private final Ioas ioas = iommufd.allocateIoas();
    private final Container container = Container.open(Container.Type.NOIOMMU);

    Unguarded(Backend backend) throws VfioException {
      this.backend = backend;
    }

    VfioDevice open(PciAddress address) throws VfioException {
      if (backend == Backend.CONTAINER) {
        return container.openDevice(Sysfs.host().device(address));
      }
      CdevDevice device = iommufd.bindWithoutIommu(Sysfs.host().device(address));
      device.attach(ioas);
      return device;
    }

    NvmeAdmin admin(VfioDevice device) throws IOException {
      DmaBuffer memory = ioas.allocateHuge(HUGE, HUGE);
      memory.segment().fill((byte) 0);
      long address =
          backend == Backend.CONTAINER
              ? PhysicalMemory.address(memory.segment())
              : ioas.physicalAddress(memory.iova(), HUGE).address();
      return new NvmeAdmin(
          device, address, page -> memory.segment().asSlice((long) page * PAGE, PAGE));
    }

    @Override
    public void close() throws VfioException {
      container.close();
      iommufd.close();
    }
  }

  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void controllerInterruptsAndIsReset(Backend backend) throws IOException {
    try (Unguarded unguarded = new Unguarded(backend);
        VfioDevice device = unguarded.open(Machine.NVME)) {
      NvmeAdmin admin = unguarded.admin(device);
      Interrupt vector = device.pci().msix().enable(0);
      assertThat(admin.serialNumber()).isEqualTo("a");
      assertThat(vector.await(PATIENCE)).isEqualTo(1);

      device.reset();

      assertThat(admin.isReady()).isFalse();
      assertThat(admin.serialNumber()).isEqualTo("a");
      assertThat(vector.await(PATIENCE)).as("it stays enabled").isEqualTo(1);
    }
  }

  @EachBackend
  @Bound(Device.IGB)
  void networkCardInterruptsAndIsReset(Backend backend) throws IOException {
    try (Unguarded unguarded = new Unguarded(backend);
        VfioDevice device = unguarded.open(Machine.IGB)) {
      try (MappedRegion registers = device.region(0).map()) {
        device.pci().config().setBusMaster(true);
        Interrupt first = device.pci().msix().enable(0);
        Interrupt second = device.pci().msix().enable(1);
        registers.setInt(GPIE, SEVERAL_VECTORS);
        registers.setInt(IVAR0, SECOND_VECTOR);
        registers.setInt(EIMS, 0b10);
        registers.setInt(EICS, 0b10);
        assertThat(second.await(PATIENCE)).isEqualTo(1);
        assertThat(first.await(Duration.ZERO)).isZero();
      }

      device.region(0).writeInt(QUEUE, 0x12300);
      device.reset();
      assertThat(device.region(0).readInt(QUEUE)).isZero();

      device.region(0).writeInt(QUEUE, 0x12300);
      HotReset.of(device).perform();
      assertThat(device.region(0).readInt(QUEUE)).isZero();
    }
  }

  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void whoHasBothFunctionsResetsBoth(Backend backend) throws IOException {
    try (Unguarded unguarded = new Unguarded(backend);
        VfioDevice one = unguarded.open(Machine.NVME)) {
      NvmeAdmin first = unguarded.admin(one);
      assertThat(first.serialNumber()).isEqualTo("a");
      assertThatExceptionOfType(NotPermittedException.class)
          .isThrownBy(HotReset.of(one)::perform)
          .withMessageContaining(Machine.NVME_2.toString());
      assertThat(first.isReady()).isTrue();

      try (VfioDevice two = unguarded.open(Machine.NVME_2)) {
        NvmeAdmin second = unguarded.admin(two);
        assertThat(second.serialNumber()).isEqualTo("b");
        HotReset.of(one).perform();

        assertThat(first.isReady()).isFalse();
        assertThat(second.isReady()).isFalse();
        assertThat(first.serialNumber()).isEqualTo("a");
        assertThat(second.serialNumber()).isEqualTo("b");
      }
    }
  }
}
