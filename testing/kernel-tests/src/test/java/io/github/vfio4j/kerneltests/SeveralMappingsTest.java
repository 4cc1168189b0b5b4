package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IoAddressSpace.MemoryRegion;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** What is mapped or unmapped by one call is so as a whole, and pinned or not as a whole. */
@OnMachine({"intel/legacy", "smmuv3", "amd"})
@Bound(Device.EDU)
class SeveralMappingsTest {
  private static final long LOW = 0x10000;
  private static final long HIGH = 0x8000000 - 4 * PAGE;

  @EachBackend
  void memoryOfAGuestIsGivenAgainAsItGrows(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 8);
      EduDma.fill(memory.asSlice(0, PAGE), 1);
      long before = LockedMemory.bytes();
      MemoryRegion low = new MemoryRegion(LOW, memory.asSlice(0, 4 * PAGE), READ_WRITE);
      MemoryRegion high = new MemoryRegion(HIGH, memory.asSlice(4 * PAGE), READ_WRITE);

      assertThat(space.mapMissing(List.of(low))).containsExactly(low);
      assertThat(space.mapMissing(List.of(low, high))).containsExactly(high);
      assertThat(space.mapMissing(List.of(low, high))).isEmpty();

      EduDma.move(edu, LOW, HIGH + 3 * PAGE);
      assertThat(memory.asSlice(7 * PAGE).mismatch(memory.asSlice(0, PAGE))).isEqualTo(-1);
      assertThat(LockedMemory.bytes()).isEqualTo(before + 8 * PAGE);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.unmapRange(LOW, HIGH - LOW + PAGE));
      assertThat(space.unmapRange(0, 1L << 32)).isEqualTo(8 * PAGE);
      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.mapAll(List.of(low, high));
      EduDma.move(edu, HIGH + 3 * PAGE, HIGH);
      assertThat(memory.asSlice(4 * PAGE, PAGE).mismatch(memory.asSlice(0, PAGE))).isEqualTo(-1);
    }
  }

  @EachBackend
  void runsOfMappingsAreUnmappedWithOneCall(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 6);
      for (long page : new long[] {0, 1, 2, 5}) {
        space.map(memory.asSlice(page * PAGE, PAGE), LOW + page * PAGE, READ_WRITE);
      }
      EduDma.toDevice(edu, LOW);

      assertThat(space.unmapRange(LOW + PAGE, 5 * PAGE)).isEqualTo(3 * PAGE);

      EduDma.fromDevice(edu, LOW);
      space.map(memory, LOW + PAGE, READ_WRITE);
      assertThat(space.unmapRange(LOW, 7 * PAGE)).isEqualTo(7 * PAGE);
    }
  }

  /** Reading past the end of a file is a fault, which the kernel meets when it pins. */
  @EachBackend
  void aBatchThatCannotBePinnedLeavesNothing(Backend backend, @TempDir Path directory)
      throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel file =
            FileChannel.open(
                Files.write(directory.resolve("short"), new byte[2 * PAGE]),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      long before = LockedMemory.bytes();
      MemorySegment memory = EduDma.pages(arena, 4);
      MemorySegment cut = file.map(MapMode.READ_WRITE, 0, 2 * PAGE, arena);
      file.truncate(PAGE);
      List<MemoryRegion> batch =
          List.of(
              new MemoryRegion(LOW, memory, READ_WRITE), new MemoryRegion(HIGH, cut, READ_WRITE));

      assertThatExceptionOfType(VfioException.class).isThrownBy(() -> space.mapAll(batch));

      assertThat(LockedMemory.bytes()).isEqualTo(before);
      assertThat(space.unmapRange(0, -1)).isZero();
      space.map(memory, LOW, READ_WRITE);
      assertThatExceptionOfType(IovaInUseException.class).isThrownBy(() -> space.mapAll(batch));
      assertThat(LockedMemory.bytes()).isEqualTo(before + 4 * PAGE);
    }
  }
}
