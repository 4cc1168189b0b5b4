package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The driver on a controller written in Java. */
class NvmeControllerTest {
  private static final int BLOCK = 512;
  private static final int BLOCKS = 8192;
  private static final int BUFFER = 2 << 20;
  private static final Duration SOON = Duration.ofMillis(50);
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int READ_ERROR = 0x281;

  private final NvmeModel model = new NvmeModel(BLOCKS, BLOCK);
  private final List<String> ended = new ArrayList<>();
  private ModelHost host;
  private VfioDevice device;
  private NvmeController controller;
  private Namespace namespace;
  private QueuePair queues;
  private DmaBuffer buffer;

  @BeforeEach
  void start() throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
    controller = NvmeController.start(device);
    namespace = controller.namespaces().getFirst();
    queues = controller.createQueuePair(4);
    buffer = device.addressSpace().allocate(BUFFER);
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

  private DmaSlice slice(long offset, long size, int seed) {
    DmaSlice slice = buffer.slice(offset, size);
    byte[] bytes = new byte[(int) size];
    new Random(seed).nextBytes(bytes);
    MemorySegment.copy(bytes, 0, slice.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
    return slice;
  }

  private void finish() throws VfioException {
    queues.submit();
    while (queues.outstanding() > 0) {
      queues.await(this::note, PATIENCE);
    }
  }

  @Test
  void controllerSaysWhatItIs() throws VfioException {
    ControllerIdentity identity = controller.identity();

    assertThat(identity.model()).isEqualTo("vfio4j NVMe model");
    assertThat(identity.serialNumber()).isEqualTo("model");
    assertThat(identity.firmware()).isEqualTo("1.0");
    assertThat(identity.maximumTransfer()).isEqualTo(NvmeModel.MAXIMUM_TRANSFER);
    assertThat(identity.hasCompare()).isTrue();
    assertThat(controller.mostQueuePairs()).isEqualTo(NvmeModel.QUEUE_PAIRS);
    assertThat(controller.namespaces()).containsExactly(new Namespace(1, BLOCKS, BLOCK));
    assertThat(namespace.size()).isEqualTo((long) BLOCKS * BLOCK);
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> controller.namespace(2))
        .withMessageContaining("Invalid Namespace or Format");
  }

  @Test
  void controllerTellsOfItsHealth() throws VfioException {
    queues.write(namespace, 0, buffer.slice(0, BLOCK), 1);
    finish();

    HealthLog health = controller.health();

    assertThat(health.criticalWarnings()).isEmpty();
    assertThat(health.celsius()).isEqualTo(27);
    assertThat(health.sparePercent()).isEqualTo(100);
    assertThat(health.spareThresholdPercent()).isEqualTo(10);
    assertThat(health.writes()).isEqualTo(BigInteger.ONE);
    assertThat(health.reads()).isEqualTo(BigInteger.ZERO);
  }

  /** Within a page, over one border, a list of pages, the longest; from the start and within. */
  @ParameterizedTest
  @CsvSource({
    "0, 512",
    "512, 512",
    "3584, 1024",
    "0, 4096",
    "4, 4096",
    "0, 8192",
    "512, 8192",
    "0, 12288",
    "2048, 65536",
    "0, 524288",
    "1024, 524288"
  })
  void whatWasWrittenIsRead(long offset, int size) throws VfioException {
    DmaSlice written = slice(offset, size, 1);
    DmaSlice read = slice((BUFFER >> 1) + offset, size, 2);

    assertThat(queues.write(namespace, 5, written, 1)).isTrue();
    finish();
    assertThat(queues.read(namespace, 5, read, 2)).isTrue();
    finish();

    assertThat(ended).containsExactly("1: Successful Completion", "2: Successful Completion");
    assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
  }

  @Test
  void queuesGoRound() throws VfioException {
    DmaSlice source = slice(0, BLOCK, 1);
    DmaSlice target = slice(BLOCK, BLOCK, 2);
    for (int i = 0; i < 50; i++) {
      source.setInt(0, i);
      assertThat(queues.write(namespace, i, source, i)).isTrue();
      finish();
      assertThat(queues.read(namespace, i, target, i)).isTrue();
      finish();
      assertThat(target.segment().mismatch(source.segment())).isEqualTo(-1);
    }
    assertThat(ended).hasSize(100).allMatch(end -> end.endsWith("Successful Completion"));
  }

  @Test
  void fullQueueSaysSo() throws VfioException {
    DmaSlice target = buffer.slice(0, BLOCK);
    for (int i = 0; i < queues.depth(); i++) {
      assertThat(queues.read(namespace, i, target, i)).isTrue();
    }
    assertThat(queues.read(namespace, 0, target, 99)).isFalse();
    assertThat(queues.flush(namespace, 99)).isFalse();
    assertThat(queues.outstanding()).isEqualTo(queues.depth()).isEqualTo(4);

    finish();

    assertThat(ended).hasSize(4);
    assertThat(queues.read(namespace, 0, target, 99)).isTrue();
    finish();
  }

  /** The same value twice would be an error to the controller. */
  @Test
  void whoIsToldOfAnEndMayPoll() throws VfioException {
    queues.flush(namespace, 1);
    queues.flush(namespace, 2);
    queues.submit();
    int rung = model.doorbellsRung();

    int _ =
        queues.poll(
            (tag, status) -> {
              note(tag, status);
              assertThatCode(() -> queues.poll(this::note)).doesNotThrowAnyException();
            });

    assertThat(ended).hasSize(2);
    assertThat(model.doorbellsRung()).isEqualTo(rung + 1);
  }

  /** The controller does not know the queues then, until they are polled again. */
  @Test
  void whoIsToldOfAnEndMayReset() throws VfioException {
    queues.flush(namespace, 1);
    queues.submit();
    List<Integer> rung = new ArrayList<>();

    int _ =
        queues.poll(
            (tag, status) -> {
              assertThatCode(controller::reset).doesNotThrowAnyException();
              rung.add(model.doorbellsRung());
            });

    assertThat(rung).containsExactly(model.doorbellsRung());
    assertThat(queues.flush(namespace, 2)).isTrue();
    queues.drain(this::note, PATIENCE);
    assertThat(ended).hasSize(1);
  }

  @Test
  void otherCommandsDoWhatTheySay() throws VfioException {
    DmaSlice data = slice(0, 4 * BLOCK, 1);
    queues.writeThrough(namespace, 0, data, 1);
    queues.flush(namespace, 2);
    queues.compare(namespace, 0, data, 3);
    queues.verify(namespace, 0, 4, 4);
    finish();
    queues.writeZeroes(namespace, 1, 1, 5);
    DmaSlice ranges = buffer.slice(BUFFER >> 1, 32);
    QueuePair.range(namespace, ranges, 0, 2, 1);
    QueuePair.range(namespace, ranges, 1, 3, 1);
    queues.deallocate(namespace, ranges, 6);
    queues.compare(namespace, 0, data, 7);
    finish();

    assertThat(ended)
        .containsExactly(
            "1: Successful Completion",
            "2: Successful Completion",
            "3: Successful Completion",
            "4: Successful Completion",
            "5: Successful Completion",
            "6: Successful Completion",
            "7: Compare Failure");
    DmaSlice read = slice(BUFFER >> 2, 4 * BLOCK, 2);
    queues.read(namespace, 0, read, 8);
    finish();
    assertThat(read.segment().asSlice(0, BLOCK).mismatch(data.segment().asSlice(0, BLOCK)))
        .isEqualTo(-1);
    assertThat(read.segment().asSlice(BLOCK).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
  }

  @Test
  void whatCannotBeIsRefusedBeforehand() {
    DmaSlice data = buffer.slice(0, 1 << 20);
    assertThatIllegalArgumentException().isThrownBy(() -> queues.read(namespace, 0, data, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.read(namespace, 0, data.slice(0, 100), 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.read(namespace, 0, data.slice(2, BLOCK), 1));
    for (long block : new long[] {-1, BLOCKS, Long.MAX_VALUE, BLOCKS - 1}) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> queues.read(namespace, block, data.slice(0, 2 * BLOCK), 1));
    }
    assertThatIllegalArgumentException().isThrownBy(() -> controller.createQueuePair(0));
    assertThatIllegalArgumentException().isThrownBy(() -> controller.createQueuePair(1024));
    assertThat(queues.outstanding()).isZero();
  }

  @Test
  void failedCommandHasItsStatus() throws VfioException {
    model.faults().fail(READ_ERROR | 1 << 14);
    queues.read(namespace, 0, buffer.slice(0, BLOCK), 7);
    finish();

    assertThat(ended).containsExactly("7: Unrecovered Read Error");
    assertThat(new NvmeStatus(READ_ERROR | 1 << 14).doNotRetry()).isTrue();
  }

  @Test
  void commandThatNeverEndsIsEndedByAReset() throws VfioException {
    model.faults().neverEnd();
    queues.read(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.read(namespace, 1, buffer.slice(BLOCK, BLOCK), 2);
    queues.submit();
    assertThat(queues.await(this::note, PATIENCE)).isEqualTo(1);
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> queues.await(this::note, SOON))
        .withMessageContaining("none of 1 commands");

    controller.reset();

    assertThat(queues.poll(this::note)).isEqualTo(1);
    assertThat(ended).containsExactly("2: Successful Completion", "1: Command Aborted By Host");
    assertThat(queues.read(namespace, 0, buffer.slice(0, BLOCK), 3)).isTrue();
    finish();
    assertThat(ended).last().isEqualTo("3: Successful Completion");
  }

  @Test
  void controllerThatDiedGoesOnAfterAReset() throws VfioException {
    DmaSlice written = slice(0, BLOCK, 1);
    queues.write(namespace, 3, written, 0);
    finish();
    model.faults().die();
    queues.read(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.read(namespace, 1, buffer.slice(BLOCK, BLOCK), 2);
    queues.submit();
    assertThat(queues.poll(this::note)).isZero();

    controller.reset();
    queues.poll(this::note);

    assertThat(ended)
        .containsExactlyInAnyOrder(
            "0: Successful Completion", "1: Command Aborted By Host", "2: Command Aborted By Host");
    DmaSlice read = slice(BLOCK, BLOCK, 2);
    queues.read(namespace, 3, read, 3);
    finish();
    assertThat(read.segment().mismatch(slice(0, BLOCK, 1).segment())).isEqualTo(-1);
  }

  @Test
  void answerToNothingIsAnError() {
    model.faults().answerAnother();
    queues.read(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.submit();

    assertThatThrownBy(() -> queues.poll(this::note))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("not under way");
  }

  @Test
  void staleEntryIsNotTaken() throws VfioException {
    model.faults().keepPhase();
    queues.read(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.submit();

    assertThat(queues.poll(this::note)).isZero();
    assertThat(queues.outstanding()).isEqualTo(1);
  }

  @Test
  void pairsAreSeveralAndEnd() throws VfioException {
    QueuePair second = controller.createQueuePair(8);
    DmaSlice written = slice(0, BLOCK, 1);
    second.write(namespace, 9, written, 1);
    second.submit();
    assertThat(second.await(this::note, PATIENCE)).isEqualTo(1);

    second.close();
    second.close();

    assertThatIllegalStateException().isThrownBy(() -> second.poll(this::note));
    assertThatIllegalStateException()
        .isThrownBy(() -> second.read(namespace, 0, buffer.slice(0, BLOCK), 1));
    DmaSlice read = slice(BLOCK, BLOCK, 2);
    queues.read(namespace, 9, read, 2);
    finish();
    assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
  }

  /** Although what puts commands into the queue needs nothing that is closed. */
  @Test
  void pairOfAClosedControllerTakesNoCommand() throws VfioException {
    DmaSlice target = buffer.slice(0, BLOCK);
    controller.close();

    assertThatIllegalStateException().isThrownBy(() -> queues.read(namespace, 0, target, 1));
    assertThatIllegalStateException().isThrownBy(() -> queues.flush(namespace, 2));
    assertThatIllegalStateException().isThrownBy(() -> queues.submit());
    assertThat(queues.outstanding()).isZero();
  }

  @Test
  void pairOfAClosedDeviceTakesNoCommand() throws VfioException {
    DmaSlice target = buffer.slice(0, BLOCK);
    device.close();

    assertThatIllegalStateException().isThrownBy(() -> queues.read(namespace, 0, target, 1));
    assertThatIllegalStateException().isThrownBy(() -> queues.poll(this::note));
    assertThat(queues.outstanding()).isZero();
  }

  @Test
  void interruptWakesWhoWaits() throws VfioException {
    QueuePair sleeping = controller.createQueuePairWithInterrupt(4);
    DmaSlice written = slice(0, BLOCK, 1);
    sleeping.write(namespace, 1, written, 1);
    sleeping.submit();

    assertThat(sleeping.await(this::note, PATIENCE)).isEqualTo(1);
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> sleeping.await(this::note, SOON));
  }

  @Test
  void lostInterruptIsNoLostCommand() throws VfioException {
    QueuePair sleeping = controller.createQueuePairWithInterrupt(4);
    host.faults().loseInterrupts(1);
    sleeping.flush(namespace, 1);
    sleeping.submit();

    assertThat(sleeping.await(this::note, SOON)).isEqualTo(1);
  }

  @Test
  void deviceThatHasGoneIsNoController() throws VfioException {
    try (ModelHost other = ModelHost.of(new NvmeModel(1, BLOCK));
        VfioDevice vanished = other.open()) {
      other.faults().vanish();

      assertThatThrownBy(() -> NvmeController.start(vanished)).isInstanceOf(VfioException.class);
    }
  }
}
