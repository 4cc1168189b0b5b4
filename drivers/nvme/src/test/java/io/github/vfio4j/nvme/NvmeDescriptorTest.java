package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Data that one descriptor names (SGL). */
class NvmeDescriptorTest {
  private static final int BLOCK = 512;
  private static final int HALF = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Namespace NAMESPACE = new Namespace(1, 4096, BLOCK);

  private final NvmeModel model = new NvmeModel(4096, BLOCK).withControllerMemory(4096);
  private final List<String> ended = new ArrayList<>();
  private ModelHost host;
  private VfioDevice device;
  private NvmeController controller;
  private DmaBuffer buffer;

  private QueuePair start(boolean inMemory) throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
    NvmeSetup setup = NvmeController.prepare(device);
    controller = (inMemory ? setup.queuesInControllerMemory() : setup).start();
    buffer = device.addressSpace().allocate(2 * HALF);
    QueuePair queues = controller.createQueuePair(3);
    assertThat(queues.isInControllerMemory()).isEqualTo(inMemory);
    return queues;
  }

  @AfterEach
  void stop() throws VfioException {
    controller.close();
    buffer.close();
    device.close();
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  private void note(long tag, int status) {
    ended.add(tag + ": " + new NvmeStatus(status));
  }

  private DmaSlice random(long offset, long size, int seed) {
    DmaSlice slice = buffer.slice(offset, size);
    byte[] bytes = new byte[(int) size];
    new Random(seed).nextBytes(bytes);
    MemorySegment.copy(bytes, 0, slice.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
    return slice;
  }

  private void moveBlocks(QueuePair queues, long offset, long size) throws VfioException {
    DmaSlice written = random(offset, size, 1);
    DmaSlice read = random(HALF + offset, size, 2);
    assertThat(queues.write(NAMESPACE, 5, written, 1)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(queues.read(NAMESPACE, 5, read, 2)).isTrue();
    assertThat(queues.compare(NAMESPACE, 5, written, 3)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(ended)
        .containsExactly(
            "1: Successful Completion", "2: Successful Completion", "3: Successful Completion");
    assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
    ended.clear();
  }

  /** Up to two pages need no list, and are named as ever, unless their alignment forbids it. */
  @ParameterizedTest
  @CsvSource({
    "1, 0, 512, false",
    "1, 0, 8192, false",
    "1, 512, 8192, true",
    "1, 4092, 4096, false",
    "1, 4092, 4608, true",
    "1, 0, 12288, true",
    "1, 4, 524288, true",
    "1, 1, 512, true",
    "1, 4095, 512, true",
    "1, 4095, 524288, true",
    "4, 4, 524288, true",
    "4, 4, 8192, true",
    "4, 4, 4096, false",
    "0, 4, 524288, false"
  })
  void whatWasWrittenIsRead(int alignment, long offset, int size, boolean described)
      throws VfioException {
    if (alignment != 0) {
      model.withScatterGatherLists(alignment);
    }
    QueuePair queues = start(offset % 8 == 4);
    assertThat(controller.identity().hasDescriptors()).isEqualTo(alignment != 0);
    moveBlocks(queues, offset, size);
    assertThat(model.scatterGatherLists()).isEqualTo(described ? 3 : 0);
  }

  /** A command in the same place names its data as if nothing had been there. */
  @Test
  void formsOfDataTakeTurns() throws VfioException {
    model.withScatterGatherLists(1);
    QueuePair queues = start(false);
    for (int i = 0; i < 10; i++) {
      moveBlocks(queues, i % 3, (i % 5 + 1) * 4096L);
      assertThat(queues.flush(NAMESPACE, i)).isTrue();
      queues.drain(this::note, PATIENCE);
      assertThat(ended).containsExactly(i + ": Successful Completion");
      ended.clear();
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 4", "4, 4", "1, 1"})
  void alignmentIsWhatTheControllerSays(int descriptors, int alignment) throws VfioException {
    if (descriptors != 0) {
      model.withScatterGatherLists(descriptors);
    }
    QueuePair queues = start(false);
    assertThat(controller.identity().dataAlignment()).isEqualTo(alignment);
    if (alignment != 1) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> queues.read(NAMESPACE, 0, buffer.slice(2, BLOCK), 1))
          .withMessageContaining("aligned to 4");
      assertThat(queues.outstanding()).isZero();
    }
  }

  /** Data may be larger than a command by hand moves, which is so with a list of pages alone. */
  @Test
  void commandsByHandNameTheirPages() throws VfioException {
    model.withScatterGatherLists(1);
    QueuePair queues = start(false);
    DmaSlice written = random(0, 16384, 1);
    NvmeCommand write = NvmeCommand.of(Opcode.WRITE, 1).withWord(12, 23);
    assertThat(queues.command(write, written, 1)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(ended).containsExactly("1: Successful Completion");
    assertThat(model.scatterGatherLists()).isZero();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.command(write, buffer.slice(1, 4096), 1));
  }

  @Test
  void zonesAreWrittenAndToldOfByThem() throws VfioException {
    model.withScatterGatherLists(1).withZones(600, 2, 2, 0, 0);
    QueuePair queues = start(false);
    ZonedNamespace zoned = controller.zonedNamespaces().getFirst();
    DmaSlice written = random(3, 2 * BLOCK, 1);
    assertThat(queues.append(zoned, 4, written, 1)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(model.scatterGatherLists()).isEqualTo(1);
    DmaSlice read = buffer.slice(HALF + 3, 2 * BLOCK);
    assertThat(queues.read(zoned.namespace(), 4, read, 2)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);

    DmaSlice report = buffer.slice(0, 601 * 64);
    assertThat(queues.report(zoned, 0, report, 3)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(model.scatterGatherLists()).isEqualTo(3);
    assertThat(Zone.of(zoned, report)).hasSize(600);
    assertThat(ended).hasSize(3).allMatch(end -> end.endsWith("Successful Completion"));
  }

  @Test
  void controllerThatRefusesADescriptorSaysWhy() throws VfioException {
    model.withScatterGatherLists(1);
    QueuePair queues = start(false);
    model.faults().fail(0x011);
    assertThat(queues.read(NAMESPACE, 0, buffer.slice(0, 16384), 1)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(ended).containsExactly("1: SGL Descriptor Type Invalid");
  }
}
