package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.DependentDevice;
import io.github.vfio4j.pci.DependentDevice.Owner;
import io.github.vfio4j.pci.HotReset;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Devices that no IOMMU guards interrupt, and are reset, as others are. */
@OnMachine(value = "bare", since = "7.3")
class UnguardedResetTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Of igb: where its first queue for transmission is, and how it interrupts. */
  private static final long QUEUE = 0xe000;

  private static final int GPIE = 0x1514;
  private static final int EICS = 0x1520;
  private static final int EIMS = 0x1524;
  private static final int IVAR0 = 0x1700;
  private static final int SEVERAL_VECTORS = 1 << 4;
  private static final int SECOND_VECTOR = 0x81; // of the first queue, valid

  private static NvmeAdmin admin(Unguarded unguarded, VfioDevice device) throws IOException {
    DmaBuffer memory = unguarded.allocate();
    long address = unguarded.physicalAddress(memory);
    return new NvmeAdmin(
        device, address, page -> memory.segment().asSlice((long) page * PAGE, PAGE));
  }

  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void controllerInterruptsAndIsReset(Backend backend) throws IOException {
    try (Unguarded unguarded = new Unguarded(backend);
        VfioDevice device = unguarded.open(Machine.NVME)) {
      NvmeAdmin admin = admin(unguarded, device);
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
      NvmeAdmin first = admin(unguarded, one);
      assertThat(first.serialNumber()).isEqualTo("a");
      assertThatExceptionOfType(NotPermittedException.class)
          .isThrownBy(HotReset.of(one)::perform)
          .withMessageContaining(Machine.NVME_2.toString());
      assertThat(first.isReady()).isTrue();

      try (VfioDevice two = unguarded.open(Machine.NVME_2)) {
        NvmeAdmin second = admin(unguarded, two);
        assertThat(second.serialNumber()).isEqualTo("b");
        HotReset.of(one).perform();

        assertThat(first.isReady()).isFalse();
        assertThat(second.isReady()).isFalse();
        assertThat(first.serialNumber()).isEqualTo("a");
        assertThat(second.serialNumber()).isEqualTo("b");
      }
    }
  }

  /** Both functions are in one group, and nobody else could have the other, if an IOMMU did. */
  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void whatAnotherProcessHasIsInTheWay(Backend backend) throws IOException {
    try (Unguarded unguarded = new Unguarded(backend);
        VfioDevice one = unguarded.open(Machine.NVME)) {
      NvmeAdmin admin = admin(unguarded, one);
      assertThat(admin.serialNumber()).isEqualTo("a");
      try (Child other =
          Child.start(List.of(), Unguarded.class, backend.name(), Machine.NVME_2.toString())) {
        assertThat(other.line()).isEqualTo("it is open");
        HotReset reset = HotReset.of(one);
        assertThat(reset.isPossible()).isFalse();
        assertThat(reset.dependents())
            .extracting(DependentDevice::owner)
            .containsExactly(Owner.THIS_PROCESS, Owner.OTHER_USER);
        assertThatExceptionOfType(DeviceBusyException.class)
            .isThrownBy(reset::perform)
            .withMessageContaining(Machine.NVME_2 + " is open: process " + other.pid());
        assertThat(admin.isReady()).isTrue();
      }

      try (VfioDevice _ = unguarded.open(Machine.NVME_2)) {
        HotReset.of(one).perform();
        assertThat(admin.isReady()).isFalse();
      }
    }
  }
}
