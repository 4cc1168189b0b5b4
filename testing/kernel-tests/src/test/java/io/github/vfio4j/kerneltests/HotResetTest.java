package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.DependentDevice;
import io.github.vfio4j.pci.DependentDevice.Owner;
import io.github.vfio4j.pci.HotReset;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Two functions in one slot are reset together, by who has both. */
@OnMachine({"intel/legacy", "smmuv3"}) // the IOMMU does not matter
@Bound({Device.NVME, Device.NVME_2})
class HotResetTest {
  private static final long SIZES = 0x24;

  private static <E extends VfioException> void assertRefused(
      VfioDevice device, Class<E> kind, Owner owner, String words) throws VfioException {
    HotReset reset = HotReset.of(device);
    assertThat(reset.isPossible()).isFalse();
    assertThat(reset.dependents())
        .extracting(DependentDevice::address)
        .containsExactly(Machine.NVME, Machine.NVME_2);
    assertThat(reset.dependents())
        .extracting(DependentDevice::owner)
        .containsExactly(Owner.THIS_PROCESS, owner);
    int sizes = device.region(0).readInt(SIZES);
    assertThatExceptionOfType(kind)
        .isThrownBy(reset::perform)
        .withMessageContaining(Machine.NVME_2 + " " + words);
    assertThat(device.region(0).readInt(SIZES)).isEqualTo(sizes);
  }

  @EachBackend
  void whoHasOneOfTwoIsRefused(Backend backend) throws VfioException {
    try (VfioDevice one = VfioDevice.open(Machine.NVME, backend)) {
      one.region(0).writeInt(SIZES, 0x10001);
      assertRefused(one, NotPermittedException.class, Owner.NOBODY, "is open nowhere");
      try (VfioDevice _ = VfioDevice.open(Machine.NVME_2, backend)) {
        assertRefused(one, DeviceBusyException.class, Owner.OTHER_USER, "is open: this process");
      }
      DriverBinding.unbind(Sysfs.host(), Machine.NVME_2);
      try {
        Owner owner =
            Sysfs.host().device(Machine.NVME_2).driver().isPresent() ? Owner.KERNEL : Owner.NOBODY;
        assertRefused(one, DeviceNotBoundException.class, owner, "has ");
      } finally {
        DriverBinding.bind(Sysfs.host(), Machine.NVME_2);
      }
    }
  }

  private static NvmeAdmin admin(VfioDevice device, Arena arena, long iova) throws VfioException {
    MemorySegment pages = arena.allocate(NvmeAdmin.PAGES * EduDma.PAGE, EduDma.PAGE);
    device.addressSpace().map(pages, iova, READ_WRITE);
    return new NvmeAdmin(
        device, iova, page -> pages.asSlice((long) page * EduDma.PAGE, EduDma.PAGE));
  }

  @EachBackend
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
      two.close();
      assertThatExceptionOfType(VfioException.class).isThrownBy(HotReset.of(one)::perform);
      assertThat(first.isReady()).isTrue();
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
