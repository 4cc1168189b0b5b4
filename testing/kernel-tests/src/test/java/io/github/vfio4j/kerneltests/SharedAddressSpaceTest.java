package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.GroupDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** An address space outlives its devices and serves several of them. */
@OnMachine(OnMachine.IOMMU)
@Bound({Device.EDU, Device.EDU_2, Device.NVME, Device.NVME_2})
class SharedAddressSpaceTest {
  @EachBackend
  void devicesOfTwoGroupsSeeTheSameMemory(Backend backend) throws IOException {
    handOver(backend, Machine.EDU, Machine.EDU_2);
  }

  /** In scalable mode Linux sets up no context for what a bridge sends on behalf of others. */
  @EachBackend
  @OnMachine({"intel/legacy", "amd"})
  @Bound({Device.BRIDGED_RNG, Device.BRIDGED_EDU, Device.BRIDGED_EDU_2})
  void devicesOfOneGroupSeeTheSameMemory(Backend backend) throws IOException {
    handOver(backend, Machine.BRIDGED_EDU_2, Machine.BRIDGED_EDU);
  }

  /** One device writes to memory; the other, which opens later and stays longer, reads it there. */
  private static void handOver(Backend backend, PciAddress writer, PciAddress reader)
      throws IOException {
    try (Arena arena = Arena.ofConfined();
        OpenSpace open = OpenSpace.on(backend)) {
      IoAddressSpace space = open.space();
      MemorySegment shared = EduDma.page(arena, 1);
      MemorySegment result = EduDma.page(arena, 2);
      VfioDevice first = VfioDevice.open(writer, space);
      space.map(shared, 0x10000, READ_WRITE);
      try (VfioDevice second = VfioDevice.open(reader, space)) {
        space.map(result, 0x20000, READ_WRITE);
        try (Edu edu = Edu.start(first)) {
          EduDma.toDevice(edu, 0x10000);
          shared.fill((byte) 0);
          EduDma.fromDevice(edu, 0x10000);
        }
        first.close();
        try (Edu edu = Edu.start(second)) {
          EduDma.toDevice(edu, 0x10000);
          EduDma.fromDevice(edu, 0x20000);
        }
      }

      assertThat(result.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
    }
  }

  @EachBackend
  void mappingsStayWhenTheLastDeviceIsClosed(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        OpenSpace open = OpenSpace.on(backend)) {
      MemorySegment memory = EduDma.page(arena, 3);
      VfioDevice former = VfioDevice.open(Machine.EDU, open.space());
      open.space().map(memory, 0x10000, READ_WRITE);
      former.close();

      roundTrip(arena, open.space(), memory);
    }
  }

  /** Between unbinding and binding the kernel forgets the group, its container and its mappings. */
  @EachBackend
  void mappingsStayWhenTheLastDeviceIsBoundAnew(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        OpenSpace open = OpenSpace.on(backend)) {
      MemorySegment memory = EduDma.page(arena, 4);
      VfioDevice former = VfioDevice.open(Machine.EDU, open.space());
      open.space().map(memory, 0x10000, READ_WRITE);
      former.close();
      Binder.bindAnew(Device.EDU);

      roundTrip(arena, open.space(), memory);
    }
  }

  /** Reads mapped memory into a device, which then puts it back over something else. */
  private static void roundTrip(Arena arena, IoAddressSpace space, MemorySegment memory)
      throws VfioException {
    MemorySegment expected = EduDma.pages(arena, 1).copyFrom(memory);
    try (VfioDevice device = VfioDevice.open(Machine.EDU, space);
        Edu edu = Edu.start(device)) {
      EduDma.toDevice(edu, 0x10000);
      memory.fill((byte) 0);
      EduDma.fromDevice(edu, 0x10000);
    }
    assertThat(memory.mismatch(expected)).isEqualTo(-1);
    space.unmap(0x10000, memory.byteSize());
  }

  @Test
  @OnMachine(since = "6.6")
  void ioasIsMappedBeforeADeviceIsThere() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment memory = EduDma.page(arena, 5);
      ioas.map(memory, 0x10000, READ_WRITE);

      roundTrip(arena, ioas, memory);
    }
  }

  @Test
  void containerCannotBeMappedBeforeADeviceIsThere() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open()) {
      MemorySegment memory = EduDma.pages(arena, 1);

      assertThatIllegalStateException()
          .isThrownBy(() -> container.map(memory, 0x10000, READ_WRITE))
          .withMessageContaining("open a device in it first");
      assertThatIllegalStateException().isThrownBy(() -> container.map(memory, READ_WRITE));
      assertThatIllegalStateException().isThrownBy(() -> container.allocate(1));
    }
  }

  @Test
  void containerOfTheOldTypeWorksLikewise() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open(Container.Type.TYPE1)) {
      assertThat(container.type()).isEqualTo(Container.Type.TYPE1);
      MemorySegment memory = EduDma.page(arena, 6);
      VfioDevice former = VfioDevice.open(Machine.EDU, container);
      container.map(memory, 0x10000, READ_WRITE);
      former.close();

      roundTrip(arena, container, memory);
    }
  }

  @Test
  void groupIsOpenedOnceForAllItsDevices() throws IOException {
    try (Container container = Container.open()) {
      var first = (GroupDevice) VfioDevice.open(Machine.NVME, container);
      var second = (GroupDevice) VfioDevice.open(Machine.NVME_2, container);

      assertThat(first.group()).isSameAs(second.group());
      assertThat(container.group(first.group().number())).isSameAs(first.group());
      assertThat(first.addressSpace()).isSameAs(container);
    }
  }

  @Test
  void containerRefusesAGroupThatIsNotThere() throws IOException {
    try (Container container = Container.open()) {
      assertThatThrownBy(() -> container.group(9999))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("9999");
      VfioDevice.open(Machine.EDU, container).close();
    }
  }
}
