package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.DependentDevice;
import io.github.vfio4j.pci.DependentDevice.Owner;
import io.github.vfio4j.pci.HotReset;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;

/** What shares a bus is reset together, by who has all of it. */
@OnMachine({"intel/legacy", "smmuv3", "amd"}) // the IOMMU does not matter
class HotResetTest {
  private static final UUID TOKEN = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  /** Where the igb's first queue for transmission is, in memory. */
  private static final long QUEUE = 0xe000;

  private static List<Owner> owners(HotReset reset) {
    return reset.dependents().stream().map(DependentDevice::owner).toList();
  }

  /** The kernel takes no proof of having a virtual function; without one it resets the other. */
  @EachBackend
  @Bound(Device.IGB)
  void virtualFunctionsHaveToEndFirst(Backend backend) throws VfioException {
    try (OpenSpace open = OpenSpace.on(backend)) {
      VfioDevice igb = VfioDevice.open(Machine.IGB, open.space());
      VfToken.set(igb, TOKEN);
      igb.region(0).writeInt(QUEUE, 0x12300);
      try (VirtualFunction virtual = VirtualFunction.of(Machine.IGB);
          VfioDevice _ = VfioDevice.open(virtual.device().withVfToken(TOKEN), open.space())) {
        HotReset reset = HotReset.of(igb);
        assertThat(owners(reset)).containsExactly(Owner.THIS_PROCESS, Owner.UNPROVABLE);
        assertThatExceptionOfType(DeviceBusyException.class)
            .isThrownBy(reset::perform)
            .withMessageContaining(virtual.device().name() + " is a virtual function");
        assertThat(igb.region(0).readInt(QUEUE)).isEqualTo(0x12300);
      }
      HotReset.of(igb).perform();
      assertThat(igb.region(0).readInt(QUEUE)).isZero();
      assertThat(igb.pci().config().vendorId()).isEqualTo(0x8086);
    }
  }

  private static NvmeAdmin admin(VfioDevice device, Arena arena, long iova) throws VfioException {
    MemorySegment pages = arena.allocate(NvmeAdmin.PAGES * EduDma.PAGE, EduDma.PAGE);
    device.addressSpace().map(pages, iova, READ_WRITE);
    return new NvmeAdmin(
        device, iova, page -> pages.asSlice((long) page * EduDma.PAGE, EduDma.PAGE));
  }

  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void whoHasBothResetsBoth(Backend backend) throws IOException {
    try (Arena arena = Arena.ofShared();
        OpenSpace open = OpenSpace.on(backend)) {
      IoAddressSpace space = open.space();
      VfioDevice one = VfioDevice.open(Machine.NVME, space);
      VfioDevice two = VfioDevice.open(Machine.NVME_2, space);
      NvmeAdmin first = admin(one, arena, 0x10000);
      NvmeAdmin second = admin(two, arena, 0x20000);
      assertThat(first.serialNumber()).isEqualTo("a");
      assertThat(second.serialNumber()).isEqualTo("b");
      assertThat(first.isReady()).isTrue();
      assertThat(second.isReady()).isTrue();
      HotReset reset = HotReset.of(two);
      assertThat(reset.isPossible()).as(reset.toString()).isTrue();

      reset.perform();

      assertThat(first.isReady()).isFalse();
      assertThat(second.isReady()).isFalse();
      assertThat(first.serialNumber()).isEqualTo("a");
      assertThat(second.serialNumber()).isEqualTo("b");
    }
  }

  /** The other function is of the same group, so nobody else can have it. */
  @EachBackend
  @Bound({Device.NVME, Device.NVME_2})
  void whoHasOneOfAGroupResetsAll(Backend backend) throws IOException {
    try (Arena arena = Arena.ofShared();
        OpenSpace open = OpenSpace.on(backend)) {
      VfioDevice one = VfioDevice.open(Machine.NVME, open.space());
      NvmeAdmin admin = admin(one, arena, 0x10000);
      assertThat(admin.serialNumber()).isEqualTo("a");
      HotReset reset = HotReset.of(one);
      assertThat(reset.dependents())
          .extracting(DependentDevice::address)
          .containsExactly(Machine.NVME, Machine.NVME_2);

      reset.perform();

      assertThat(admin.isReady()).isFalse();
      DriverBinding.unbind(Sysfs.host(), Machine.NVME_2);
      try {
        assertThat(owners(HotReset.of(one))).doesNotContain(Owner.OTHER_USER).hasSize(2);
        assertThatExceptionOfType(DeviceNotBoundException.class)
            .isThrownBy(HotReset.of(one)::perform)
            .withMessageContaining(Machine.NVME_2 + " has ");
      } finally {
        DriverBinding.bind(Sysfs.host(), Machine.NVME_2);
      }
    }
  }

  @EachBackend
  @Bound(Device.EDU)
  void whatIsBehindNoPortHasNone(Backend backend) throws VfioException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> HotReset.of(edu))
          .withMessageContaining("neither its slot nor its bus")
          .satisfies(refused -> assertThat(refused.errno()).contains(Errno.ENODEV));
    }
  }
}
