package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.IoEventFd;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** What the kernel writes to a device's registers for an eventfd. */
@OnMachine({"intel/legacy", "smmuv3", "amd"}) // the IOMMU does not matter
@Bound({Device.IVSHMEM, Device.NVME})
class IoEventFdTest {
  private static final int SHARED_MEMORY = 2;
  private static final int NVME_REGISTERS = 0;
  private static final long NVME_MSIX_TABLE = 0x2000;
  private static final int NVME_VECTORS = 65;

  @EachBackend
  void everyWidthIsWrittenAndNoByteMore(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
        MappedRegion memory = device.region(SHARED_MEMORY).map();
        IoEventFd eight = IoEventFd.ofByte(device, SHARED_MEMORY, 0x11, (byte) 0x81);
        IoEventFd sixteen = IoEventFd.ofShort(device, SHARED_MEMORY, 0x22, (short) 0x8182);
        IoEventFd thirtyTwo = IoEventFd.ofInt(device, SHARED_MEMORY, 0x34, 0x81828384);
        IoEventFd sixtyFour = IoEventFd.ofLong(device, SHARED_MEMORY, 0x48, 0x8182838485868788L)) {
      for (long at = 0; at < 0x60; at += Long.BYTES) {
        memory.setLong(at, 0);
      }

      eight.signal();
      assertThat(memory.getLong(0x10)).isEqualTo(0x8100);
      sixteen.signal();
      assertThat(memory.getLong(0x20)).isEqualTo(0x81820000L);
      thirtyTwo.signal();
      assertThat(memory.getLong(0x30)).isEqualTo(0x8182838400000000L);
      sixtyFour.signal();
      assertThat(memory.getLong(0x48)).isEqualTo(0x8182838485868788L);
      for (long at : new long[] {0, 0x8, 0x18, 0x28, 0x38, 0x40, 0x50, 0x58}) {
        assertThat(memory.getLong(at)).as("at %#x", at).isZero();
      }
      memory.setLong(0x10, 0);
      eight.signal();
      assertThat(memory.getLong(0x10)).isEqualTo(0x8100);
    }
  }

  @EachBackend
  void eachValueOfARegisterHasItsOwn(Backend backend) throws IOException {
    VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
    try (device) {
      IoEventFd one = IoEventFd.ofInt(device, SHARED_MEMORY, 0, 1);
      IoEventFd two = IoEventFd.ofInt(device, SHARED_MEMORY, 0, 2);
      assertThatThrownBy(() -> IoEventFd.ofInt(device, SHARED_MEMORY, 0, 1))
          .isInstanceOfSatisfying(
              VfioException.class, e -> assertThat(e.errno()).contains(Errno.EEXIST));
      two.signal();
      assertThat(device.region(SHARED_MEMORY).readInt(0)).isEqualTo(2);

      two.close();
      two.close();
      assertThatIllegalStateException().isThrownBy(two::signal);
      one.signal();
      assertThat(device.region(SHARED_MEMORY).readInt(0)).isEqualTo(1);
      IoEventFd.ofInt(device, SHARED_MEMORY, 0, 2).signal();
      assertThat(device.region(SHARED_MEMORY).readInt(0)).isEqualTo(2);

      device.close();
      assertThatIllegalStateException().isThrownBy(one::signal);
      one.close();
    }
  }

  @EachBackend
  void nothingIsWrittenWhileTheMemoryIsSwitchedOff(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
        IoEventFd write = IoEventFd.ofInt(device, SHARED_MEMORY, 0, 7)) {
      device.region(SHARED_MEMORY).writeInt(0, 1);
      device.pci().config().setMemoryEnabled(false);
      write.signal();
      device.pci().config().setMemoryEnabled(true);
      assertThat(device.region(SHARED_MEMORY).readInt(0)).isEqualTo(1);
      write.signal();
      assertThat(device.region(SHARED_MEMORY).readInt(0)).isEqualTo(7);
    }
  }

  @EachBackend
  void doorbellStartsACommand(Backend backend) throws IOException {
    try (Arena arena = Arena.ofShared();
        VfioDevice nvme = VfioDevice.open(Machine.NVME, backend);
        IoEventFd doorbell =
            IoEventFd.ofInt(nvme, NVME_REGISTERS, NvmeAdmin.SUBMISSION_DOORBELL, 1)) {
      MemorySegment pages = EduDma.pages(arena, NvmeAdmin.PAGES);
      long iova = 1 << 20;
      nvme.addressSpace().map(pages, iova, READ_WRITE);
      NvmeAdmin admin =
          new NvmeAdmin(nvme, iova, page -> pages.asSlice((long) page * EduDma.PAGE, EduDma.PAGE));

      assertThat(admin.serialNumber(doorbell::signal)).isEqualTo("a");
    }
  }

  @EachBackend
  void tableOfInterruptsIsTheKernels(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      long end = NVME_MSIX_TABLE + NVME_VECTORS * 16L;
      for (long offset : new long[] {NVME_MSIX_TABLE, end - 8}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> IoEventFd.ofLong(nvme, NVME_REGISTERS, offset, 0))
            .withMessageContaining("MSI-X table");
      }
      IoEventFd.ofLong(nvme, NVME_REGISTERS, NVME_MSIX_TABLE - 8, 0).close();
      IoEventFd.ofLong(nvme, NVME_REGISTERS, end, 0).close();
      assertThatThrownBy(() -> IoEventFd.ofInt(nvme, 1, 0, 0))
          .isInstanceOf(IndexOutOfBoundsException.class); // BAR 0 has 64 bits
    }
  }

  @Test
  @OnMachine(value = "intel/legacy", since = "6.6") // older kernels have no serial port
  void onlyDriversOfPciDevicesHaveThem() throws IOException {
    MediatedDevice mtty = SerialPort.create();
    try (VfioDevice device = VfioDevice.open(mtty)) {
      assertThatThrownBy(() -> IoEventFd.ofByte(device, 0, 0, (byte) 0))
          .isInstanceOf(UnsupportedByKernelException.class);
    } finally {
      Sysfs.host().remove(mtty);
    }
  }
}
