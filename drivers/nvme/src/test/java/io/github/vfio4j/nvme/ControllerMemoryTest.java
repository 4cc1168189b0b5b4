package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues in the controller's own memory. */
class ControllerMemoryTest {
  private static final int BLOCK = 512;
  private static final int SIZE = 3 * 4096;
  private static final int DEPTH = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Namespace NAMESPACE = new Namespace(1, 64, BLOCK);
  private static final IovaRange LOW = new IovaRange(0, 0xfedfffffL);

  private final NvmeModel model = new NvmeModel(64, BLOCK).withControllerMemory(4 * 4096);
  private final List<String> ended = new ArrayList<>();
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
  }

  @AfterEach
  void stop() throws VfioException {
    device.close();
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  private void note(long tag, int status) {
    ended.add(tag + ": " + new NvmeStatus(status));
  }

  private NvmeController start() throws VfioException {
    return NvmeController.prepare(device).queuesInControllerMemory().start();
  }

  private void describe(long offset, int bar, int unit, int count) {
    model.describeControllerMemory((int) offset << 12 | bar, count << 12 | unit << 8 | 1);
  }

  private void moveBlocks(QueuePair queues, int rounds) throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      DmaSlice written = buffer.slice(0, BLOCK);
      DmaSlice read = buffer.slice(BLOCK, BLOCK);
      for (int i = 0; i < rounds; i++) {
        written.segment().fill((byte) (i + 1));
        assertThat(queues.write(NAMESPACE, i, written, i)).isTrue();
        queues.drain(this::note, PATIENCE);
        assertThat(queues.read(NAMESPACE, i, read, i)).isTrue();
        queues.drain(this::note, PATIENCE);
        assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
      }
    }
    assertThat(ended).hasSize(2 * rounds).allMatch(end -> end.endsWith("Successful Completion"));
    ended.clear();
  }

  @Test
  void controllerTakesCommandsFromItsMemory() throws VfioException {
    try (NvmeController controller = start()) {
      assertThat(controller.hasControllerMemory()).isTrue();
      QueuePair queues = controller.createQueuePair(DEPTH);
      assertThat(queues.isInControllerMemory()).isTrue();
      assertThat(model.queuesInControllerMemory()).isEqualTo(1);
      moveBlocks(queues, 20);
      queues.flush(NAMESPACE, 1);
      queues.writeZeroes(NAMESPACE, 3, 1, 2);
      queues.drain(this::note, PATIENCE);
      assertThat(ended).containsExactly("1: Successful Completion", "2: Successful Completion");
    }
  }

  @Test
  void queuesAreInMemoryUnlessItIsAskedFor() throws VfioException {
    try (NvmeController controller = NvmeController.start(device)) {
      assertThat(controller.hasControllerMemory()).isFalse();
      QueuePair queues = controller.createQueuePair(DEPTH);
      assertThat(queues.isInControllerMemory()).isFalse();
      assertThat(model.queuesInControllerMemory()).isZero();
      moveBlocks(queues, 3);
    }
  }

  @Test
  void queuesAreInMemoryWhereThereIsNoRoomLeft() throws VfioException {
    try (NvmeController controller = start()) {
      QueuePair large = controller.createQueuePair(3 * 64 - 1);
      QueuePair small = controller.createQueuePair(63);
      QueuePair outside = controller.createQueuePair(1);
      assertThat(List.of(large, small, outside))
          .extracting(QueuePair::isInControllerMemory)
          .containsExactly(true, true, false);
      moveBlocks(large, 2);
      moveBlocks(small, 2);
      moveBlocks(outside, 2);

      large.close();
      QueuePair successor = controller.createQueuePair(64);
      QueuePair other = controller.createQueuePair(1);
      assertThat(successor.isInControllerMemory()).isTrue();
      assertThat(other.isInControllerMemory()).isTrue();
      assertThat(controller.createQueuePair(1).isInControllerMemory()).isFalse();
      moveBlocks(successor, 2);
      moveBlocks(other, 2);
      moveBlocks(small, 2);
    }
  }

  /** What is in it is not what was there before. */
  @Test
  void queuesAreThereAgainAfterAReset() throws VfioException {
    try (NvmeController controller = start()) {
      QueuePair queues = controller.createQueuePair(DEPTH);
      moveBlocks(queues, 4);
      queues.read(NAMESPACE, 0, device.addressSpace().allocate(4096).slice(0, BLOCK), 7);
      model.faults().stayReady(); // so that the function is reset
      controller.reset();
      assertThat(queues.poll(this::note)).isEqualTo(1);
      assertThat(ended).containsExactly("7: Command Aborted By Host");
      ended.clear();
      assertThat(model.queuesInControllerMemory()).isEqualTo(1);
      moveBlocks(queues, 10);
    }
  }

  @Test
  void memoryIsLeftWhenTheControllerIsClosed() throws VfioException {
    start().close();
    try (NvmeController controller = NvmeController.start(device)) {
      moveBlocks(controller.createQueuePair(DEPTH), 2);
      assertThat(model.queuesInControllerMemory()).isZero();
    }
    assertThat(device.pci().bar(0).readLong(0x50)).isZero();
  }

  /** For one without, or with memory that is not for commands. */
  @ParameterizedTest
  @ValueSource(ints = {0, 3 << 12, 1, 3 << 12 | 0x1e})
  void controllerWithoutItIsStartedAllTheSame(int size) throws VfioException {
    model.describeControllerMemory(2, size);
    try (NvmeController controller = start()) {
      assertThat(controller.hasControllerMemory()).isFalse();
      moveBlocks(controller.createQueuePair(DEPTH), 2);
    }
  }

  /** Where less of it can be reached than there is, only that is used. */
  @Test
  void memoryEndsWithItsBar() throws VfioException {
    describe(3, 2, 0, 0xfffff);
    try (NvmeController controller = start()) {
      assertThat(controller.createQueuePair(64).isInControllerMemory()).isFalse();
      assertThat(controller.createQueuePair(63).isInControllerMemory()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "4, 2, 0, 1, it would lie at 0x4000 of BAR 2",
    "1048575, 2, 6, 1048575, it would lie at 0xfffff000000000 of BAR 2",
    "1, 2, 1, 1, it would lie at 0x10000 of BAR 2",
    "0, 2, 7, 1, its unit of size is number 7",
    "0, 2, 15, 1048575, its unit of size is number 15",
    "0, 1, 0, 1, it would lie in BAR 1",
    "0, 6, 0, 1, it would lie in BAR 6",
    "0, 7, 0, 1, it would lie in BAR 7",
    "0, 3, 0, 1, 'it would lie at 0x0 of BAR 3, which has 0x0 bytes'",
    "3, 0, 0, 1, 'it would lie at 0x3000 of BAR 0, where its registers are'"
  })
  void memoryThatCannotBeIsRefused(long offset, int bar, int unit, int count, String message)
      throws VfioException {
    describe(offset, bar, unit, count);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(this::start)
        .withMessageContaining("use the controller's memory")
        .withMessageContaining(device.name())
        .withMessageContaining(message);
    try (NvmeController controller = NvmeController.start(device)) {
      moveBlocks(controller.createQueuePair(DEPTH), 2);
    }
  }

  @Test
  void memoryThatMovesIsRefusedByTheReset() throws VfioException {
    try (NvmeController controller = start()) {
      describe(1, 2, 0, 1);
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(controller::reset)
          .withMessageContaining("elsewhere after a reset");
      describe(0, 2, 0, 4);
      controller.reset();
      moveBlocks(controller.createQueuePair(DEPTH), 2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "7fffffffff, 1000, 8000000000",
    "ffffffffffff, 100000, 1000000000000",
    "8000000fff, 100000, 8000100000",
    "7fffffffff, 100001, 8000000000",
    "ffffffff, 1000, 100000000",
    "fffffffffffeffff, 8000, ffffffffffff0000",
    "7fffffffffffffff, 100000000000000, 8000000000000000"
  })
  void addressIsAboveAllThatCanBeMapped(String last, String size, String address)
      throws VfioException {
    List<IovaRange> ranges = List.of(LOW, new IovaRange(0xfef00000L, hex(last)));
    assertThat(ControllerMemory.address("x", ranges, hex(size))).isEqualTo(hex(address));
  }

  /** As on AMD's, with its gap for other things below 2^40. */
  @Test
  void addressIsInAGapWhereAllElseCanBeMapped() throws VfioException {
    List<IovaRange> ranges =
        List.of(LOW, new IovaRange(0xfef00000L, 0xfcffffffffL), new IovaRange(1L << 40, -1));
    assertThat(ControllerMemory.address("x", ranges, SIZE)).isEqualTo(0xfd00000000L);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> ControllerMemory.address("x", ranges, 1L << 40));
  }

  /** There are only the addresses of interrupts, too few, those up to the very end, or none. */
  @ParameterizedTest
  @CsvSource({"ffffffffffffffff, 1000", "ffffffffffffefff, 1000", "fffffffffffeffff, 10000"})
  void noAddressIsMadeUp(String last, String size) {
    List<IovaRange> ranges = List.of(LOW, new IovaRange(0xfef00000L, hex(last)));
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> ControllerMemory.address("x", ranges, hex(size)))
        .withMessageContaining("no 0x" + size + " bytes of addresses");
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> ControllerMemory.address("x", List.of(), SIZE));
  }

  private static long hex(String digits) {
    return Long.parseUnsignedLong(digits, 16);
  }
}
