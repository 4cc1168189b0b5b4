package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is mapped is what a device reaches, where it was mapped, and no longer than that. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class AddressSpaceTest {
  private static final long HUGE = 2 << 20;

  @EachBackend
  void memoryIsMappedWhereTheCallerSays(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      long highest = (1L << Edu.ADDRESS_BITS) - PAGE;
      MemorySegment sent = EduDma.page(arena, 1);
      MemorySegment received = EduDma.page(arena, 2);
      space.map(sent, 0x123000, READ_WRITE);
      space.map(received, highest, READ_WRITE);

      EduDma.toDevice(edu, 0x123000);
      EduDma.fromDevice(edu, highest);

      assertThat(received.mismatch(sent)).isEqualTo(-1);
    }
  }

  @EachBackend
  void memoryIsMappedWhereTheAddressSpaceChooses(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment sent = EduDma.page(arena, 3);
      MemorySegment received = EduDma.page(arena, 4);
      try (DmaMapping source = space.map(sent, READ);
          DmaMapping target = space.map(received, READ_WRITE)) {
        assertThat(source.size()).isEqualTo(PAGE);
        assertThat(source.iova()).isNotEqualTo(target.iova());

        EduDma.toDevice(edu, source.iova());
        EduDma.fromDevice(edu, target.iova());
      }

      assertThat(received.mismatch(sent)).isEqualTo(-1);
    }
  }

  @EachBackend
  void deviceCannotWriteMemoryMappedForReading(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment readable = EduDma.page(arena, 5);
      MemorySegment other = EduDma.page(arena, 6);
      space.map(readable, 0x10000, READ);
      space.map(other, 0x20000, READ_WRITE);

      EduDma.toDevice(edu, 0x20000);
      EduDma.fromDevice(edu, 0x10000);

      assertThat(readable.mismatch(EduDma.page(arena, 5))).isEqualTo(-1);
    }
  }

  @EachBackend
  void deviceCannotReachMemoryAfterItWasUnmapped(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.page(arena, 7);
      space.map(memory, 0x10000, READ_WRITE);
      EduDma.toDevice(edu, 0x10000);
      memory.fill((byte) 0);

      space.unmap(0x10000, PAGE);
      EduDma.fromDevice(edu, 0x10000);

      assertThat(memory.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);
    }
  }

  @EachBackend
  void memoryIsPinnedWhileItIsMapped(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 4);
      long before = LockedMemory.bytes();

      space.map(memory, 0x10000, READ_WRITE);
      assertThat(LockedMemory.bytes()).isEqualTo(before + 4 * PAGE);
      DmaMapping second = space.map(memory, READ);
      second.close();
      second.close();
      space.unmap(0x10000, 4 * PAGE);

      assertThat(LockedMemory.bytes()).isEqualTo(before);
    }
  }

  @EachBackend
  void mappingMayBeClosedAfterItsAddressSpace(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      DmaMapping mapping;
      DmaBuffer buffer;
      try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
        mapping = device.addressSpace().map(EduDma.pages(arena, 1), READ);
        buffer = device.addressSpace().allocate(1);
        assertThat(buffer.size()).isEqualTo(PAGE);
      }

      mapping.close();
      buffer.close();

      assertThatThrownBy(() -> buffer.segment().get(JAVA_BYTE, 0))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @EachBackend
  void bufferOfHugePagesIsReachedToItsLastByte(Backend backend) throws IOException {
    long free = freeHugePages();
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device);
        DmaBuffer buffer = device.addressSpace().allocateHuge(HUGE + 1, HUGE)) {
      assertThat(buffer.size()).isEqualTo(2 * HUGE);
      assertThat(buffer.iova() % HUGE).isZero();
      MemorySegment first = buffer.segment().asSlice(0, PAGE);
      MemorySegment last = buffer.segment().asSlice(2 * HUGE - PAGE);
      EduDma.fill(first, 8);

      EduDma.toDevice(edu, buffer.iova());
      EduDma.fromDevice(edu, buffer.iova() + 2 * HUGE - PAGE);

      assertThat(last.mismatch(first)).isEqualTo(-1);
      assertThat(freeHugePages()).isEqualTo(free - 2);
    }
    assertThat(freeHugePages()).isEqualTo(free);
  }

  @EachBackend
  void moreHugePagesThanThereAreAreRefused(Backend backend) throws IOException {
    long free = freeHugePages();
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();

      assertThatThrownBy(() -> space.allocateHuge((free + 1) * HUGE, HUGE))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("mmap");
                assertThat(e.errno()).contains(Errno.ENOMEM);
                assertThat(e).hasMessageContaining("nr_hugepages");
              });
      assertThatThrownBy(() -> space.allocateHuge(1, 1L << 30)).isInstanceOf(VfioException.class);
      assertThatIllegalArgumentException().isThrownBy(() -> space.allocateHuge(HUGE, PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> space.allocateHuge(HUGE, 3 * PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> space.allocate(0));
      assertThatIllegalArgumentException().isThrownBy(() -> space.allocate(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> space.allocate(Long.MAX_VALUE));
      assertThat(freeHugePages()).isEqualTo(free);
    }
  }

  private static long freeHugePages() throws IOException {
    Path pool = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    return Long.parseLong(Files.readString(pool).strip());
  }
}
