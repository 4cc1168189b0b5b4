package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IoAddressSpace.Allocation;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Large buffers are on huge pages, a device reaches all of them, and none is left half made. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class LargeMemoryTest {
  private static final long SIZE = 64 << 20;

  @EachBackend
  void aLargeBufferIsOnHugePages(Backend backend) throws IOException {
    assumeTrue(hasHugePages());
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        DmaBuffer buffer = device.addressSpace().allocate(SIZE);
        DmaBuffer ordinary =
            device.addressSpace().allocate(4 << 20, Allocation.USUAL.onOrdinaryPages())) {
      assertThat(onHugePages(buffer)).isPositive();
      assertThat(onHugePages(ordinary)).isZero();
    }
  }

  @EachBackend
  void aDeviceReachesBothEnds(Backend backend) throws IOException {
    List<Long> heard = new ArrayList<>();
    long before = LockedMemory.bytes();
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device);
        DmaBuffer buffer =
            device
                .addressSpace()
                .allocate(SIZE, Allocation.USUAL.telling((done, total) -> heard.add(done)))) {
      MemorySegment first = buffer.segment().asSlice(0, PAGE);
      MemorySegment last = buffer.segment().asSlice(SIZE - PAGE);
      EduDma.fill(first, 1);

      EduDma.move(edu, buffer.iova(), buffer.iova() + SIZE - PAGE);

      assertThat(last.mismatch(first)).isEqualTo(-1);
      assertThat(LockedMemory.bytes()).isEqualTo(before + SIZE);
      assertThat(heard).isSorted().endsWith(SIZE);
    }
    assertThat(LockedMemory.bytes()).isEqualTo(before);
  }

  @EachBackend
  void aDeviceReachesMemoryThatWasPopulated(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = arena.allocate(SIZE, PAGE);
      EduDma.fill(memory.asSlice(0, PAGE), 2);

      assertThat(space.populate(memory, READ_WRITE, IoAddressSpace.Progress.UNHEARD)).isTrue();

      try (DmaMapping mapping = space.map(memory, READ_WRITE)) {
        EduDma.move(edu, mapping.iova(), mapping.iova() + SIZE - PAGE);
      }
      assertThat(memory.asSlice(SIZE - PAGE).mismatch(EduDma.page(arena, 2))).isEqualTo(-1);
    }
  }

  @EachBackend
  void anInterruptedAllocationLeavesNothing(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      long locked = LockedMemory.bytes();
      Allocation interrupted =
          Allocation.USUAL.telling((done, total) -> Thread.currentThread().interrupt());

      assertThatThrownBy(() -> device.addressSpace().allocate(4 * SIZE, interrupted))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("interrupted");

      assertThat(Thread.interrupted()).isTrue();
      assertThat(LockedMemory.bytes()).isEqualTo(locked);
      device.addressSpace().allocate(SIZE).close();
    }
  }

  private static boolean hasHugePages() throws IOException {
    Path enabled = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    return Files.exists(enabled) && !Files.readString(enabled).contains("[never]");
  }

  /** Returns how many KiB of a buffer are on huge pages, by all mappings that it is a part of. */
  private static long onHugePages(DmaBuffer buffer) throws IOException {
    long start = buffer.segment().address();
    long end = start + buffer.size();
    boolean within = false;
    long kib = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] ends = line.substring(0, line.indexOf(' ')).split("-", -1);
        within =
            Long.parseUnsignedLong(ends[0], 16) < end
                && start < Long.parseUnsignedLong(ends[1], 16);
      } else if (within && line.startsWith("AnonHugePages:")) {
        kib += Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return kib;
  }
}
