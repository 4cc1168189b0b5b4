package io.github.vfio4j.mapping;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IoAddressSpace.Allocation;
import io.github.vfio4j.IoAddressSpace.Progress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeAdvice;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.MemoryAdvice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Large buffers are on huge pages and touched before they are mapped, or given back. */
class LargeBufferTest {
  private static final long PAGE = 4096;
  private static final long HUGE = 2 << 20;
  private static final long LARGE = 64 << 20;

  @TempDir Path root;

  private static List<FakeAdvice.Call> touched(FakeMachine machine) {
    return machine.kernel.advice().calls(MemoryAdvice.POPULATE_WRITE);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void liesOnHugePagesFromTwoMebibytesOn(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend);
        DmaBuffer buffer = device.addressSpace().allocate(HUGE + 1)) {
      assertThat(buffer.size()).isEqualTo(HUGE + PAGE);
      long address = buffer.segment().address();
      assertThat(address % HUGE).isZero();
      assertThat(buffer.iova() % HUGE).isZero();
      assertThat(machine.kernel.advice().calls(MemoryAdvice.HUGE_PAGE))
          .singleElement()
          .satisfies(call -> assertThat(call.address()).isEqualTo(address))
          .satisfies(call -> assertThat(call.length()).isEqualTo(HUGE + PAGE));
      assertThat(touched(machine).stream().mapToLong(FakeAdvice.Call::length).sum())
          .isEqualTo(HUGE + PAGE);
      assertThat(buffer.segment().get(JAVA_BYTE, HUGE)).isZero();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void smallBuffersAndThoseOfOrdinaryPagesAreNot() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      IoAddressSpace space = device.addressSpace();
      space.allocate(HUGE - PAGE).close();
      assertThat(touched(machine)).isEmpty();

      space.allocate(HUGE, Allocation.USUAL.onOrdinaryPages()).close();

      assertThat(touched(machine)).hasSize(1);
      assertThat(machine.kernel.advice().calls(MemoryAdvice.HUGE_PAGE)).isEmpty();
      assertThat(Allocation.USUAL).hasToString("on huge pages where they help");
      assertThat(Allocation.USUAL.onOrdinaryPages()).hasToString("on ordinary pages");
    }
  }

  @Test
  void aKernelWithoutHugePagesGivesOthers() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    machine.kernel.advice().refuse(call -> true, Errno.EINVAL);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        DmaBuffer buffer = device.addressSpace().allocate(LARGE)) {
      assertThat(buffer.size()).isEqualTo(LARGE);
      assertThat(touched(machine)).isNotEmpty();
    }
  }

  @Test
  void otherRefusalsOfHugePagesAreTold() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    machine.kernel.advice().refuse(call -> true, Errno.ENOMEM);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatThrownBy(() -> device.addressSpace().allocate(LARGE))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("madvise")
          .hasMessageContaining("huge pages");
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aChunkThatCannotBeTouchedHasAllGivenBack(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      machine
          .kernel
          .advice()
          .refuse(
              call -> call.advice() == MemoryAdvice.POPULATE_WRITE && touched(machine).size() >= 2,
              Errno.EHWPOISON);

      assertThatThrownBy(() -> device.addressSpace().allocate(LARGE))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("EHWPOISON");

      assertThat(isMapped(touched(machine).getFirst().address())).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void anInterruptHasAllGivenBack(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      Allocation interrupted =
          Allocation.USUAL.telling((done, total) -> Thread.currentThread().interrupt());
      int before = machine.kernel.log().size();

      assertThatThrownBy(() -> device.addressSpace().allocate(LARGE * 4, interrupted))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("interrupted");

      assertThat(Thread.interrupted()).isTrue();
      assertThat(machine.kernel.log()).hasSize(before);
      assertThat(isMapped(touched(machine).getFirst().address())).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void progressEndsAtTheTotal() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    List<Long> heard = new ArrayList<>();
    try (VfioDevice device = machine.open(Backend.CONTAINER);
        DmaBuffer buffer =
            device
                .addressSpace()
                .allocate(LARGE, Allocation.USUAL.telling((done, total) -> heard.add(done)))) {
      assertThat(heard).isSorted().doesNotHaveDuplicates().endsWith(buffer.size());
    }
  }

  @Test
  void anAddressSpaceThatIsClosedMeanwhileGetsNoBuffer() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      Allocation closing = Allocation.USUAL.telling((done, total) -> close(device));

      assertThatThrownBy(() -> device.addressSpace().allocate(HUGE, closing))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");

      assertThat(isMapped(touched(machine).getFirst().address())).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static void close(VfioDevice device) {
    try {
      device.close();
    } catch (VfioException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void memoryOfTheCallersIsTouchedAsDevicesAccessIt() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = arena.allocate(LARGE, PAGE);

      assertThat(space.populate(memory, DmaAccess.WRITE, Progress.UNHEARD)).isTrue();
      assertThat(touched(machine).stream().mapToLong(FakeAdvice.Call::length).sum())
          .isEqualTo(LARGE);
      assertThat(space.populate(memory.asReadOnly(), DmaAccess.READ, Progress.UNHEARD)).isTrue();
      assertThat(machine.kernel.advice().calls(MemoryAdvice.POPULATE_READ)).isNotEmpty();
      assertThatThrownBy(
              () -> space.populate(memory.asReadOnly(), DmaAccess.WRITE, Progress.UNHEARD))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("read-only");
      assertThatThrownBy(() -> space.populate(memory.asSlice(1), DmaAccess.READ, Progress.UNHEARD))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** Whether this process has something at an address. */
  private static boolean isMapped(long address) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .map(line -> line.substring(0, line.indexOf(' ')).split("-", -1))
        .anyMatch(
            ends ->
                Long.parseUnsignedLong(ends[0], 16) <= address
                    && address < Long.parseUnsignedLong(ends[1], 16));
  }
}
