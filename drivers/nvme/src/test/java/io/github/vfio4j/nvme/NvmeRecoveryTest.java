package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that do not end, and controllers that fail: each command ends, and ends once. */
class NvmeRecoveryTest {
  private static final int BLOCK = 512;
  private static final Duration LIMIT = Duration.ofMillis(20);
  private static final Duration SHORT = Duration.ofMillis(30);
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String BY_HOST = "Command Aborted By Host";

  private final NvmeModel model = new NvmeModel(64, BLOCK);
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
    buffer = device.addressSpace().allocate(4096);
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

  private DmaSlice block(int index) {
    return buffer.slice((long) index * BLOCK, BLOCK);
  }

  private void read(int tag) {
    assertThat(queues.read(namespace, tag, block(tag), tag)).isTrue();
    queues.submit();
  }

  /** Calls it until it has something to do, as an event loop does. */
  private Recovery recover() throws VfioException {
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < PATIENCE.toNanos()) {
      Recovery done = queues.recover(this::note, LIMIT);
      if (done != Recovery.NONE) {
        return done;
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("nothing was late");
  }

  private void worksAgain() throws VfioException {
    ended.clear();
    read(7);
    assertThat(queues.await(this::note, PATIENCE)).isEqualTo(1);
    assertThat(ended).containsExactly("7: Successful Completion");
  }

  @Test
  void commandIsAbortedByItsTag() throws VfioException {
    model.faults().hang();
    read(1);
    read(2);

    assertThat(queues.abort(3)).isZero();
    assertThat(queues.abort(1)).isEqualTo(1);
    assertThat(queues.abort(1)).isZero(); // it has ended, though nobody was told of that

    assertThat(queues.poll(this::note)).isEqualTo(2);
    assertThat(ended).containsExactly("2: Successful Completion", "1: Command Abort Requested");
    worksAgain();
  }

  @Test
  void lateCommandIsAborted() throws VfioException {
    model.faults().hang();
    read(1);

    assertThat(recover()).isEqualTo(Recovery.ABORT);
    assertThat(queues.await(this::note, PATIENCE)).isEqualTo(1);

    assertThat(ended).containsExactly("1: Command Abort Requested");
    assertThat(queues.recover(this::note, LIMIT)).isEqualTo(Recovery.NONE);
    worksAgain();
  }

  @Test
  void controllerIsResetWhereAnAbortDoesNotHelp() throws VfioException {
    model.faults().neverEnd();
    read(1);
    read(2);

    assertThat(recover()).isEqualTo(Recovery.ABORT);
    assertThat(ended).containsExactly("2: Successful Completion");
    assertThat(recover()).isEqualTo(Recovery.RESET);

    assertThat(ended).containsExactly("2: Successful Completion", "1: " + BY_HOST);
    assertThat(queues.outstanding()).isZero();
    worksAgain();
  }

  @Test
  void controllerIsResetWhereItDoesNotAnswerTheAbort() throws VfioException {
    model.faults().hang();
    model.faults().ignoreAdmin();
    read(1);

    assertThat(recover()).isEqualTo(Recovery.RESET);

    assertThat(ended).containsExactly("1: " + BY_HOST);
    worksAgain();
  }

  @Test
  void refusedAbortHasItsTimeBeforeTheReset() throws VfioException {
    model.faults().neverEnd();
    model.faults().failAdmin(0x103);
    read(1);

    assertThat(recover()).isEqualTo(Recovery.ABORT);
    assertThat(recover()).isEqualTo(Recovery.RESET);
    assertThat(ended).containsExactly("1: " + BY_HOST);
  }

  @Test
  void youngCommandIsLeftAlone() throws VfioException {
    model.faults().hang();
    read(1);
    for (int i = 0; i < 10; i++) {
      assertThat(queues.recover(this::note, PATIENCE)).isEqualTo(Recovery.NONE);
    }
    assertThat(queues.outstanding()).isEqualTo(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.recover(this::note, Duration.ZERO));
    assertThatIllegalArgumentException().isThrownBy(() -> queues.drain(this::note, Duration.ZERO));
  }

  /** A slot that is used again has a command that is young. */
  @Test
  void ageIsThatOfTheCommandAndNotOfItsPlace() throws Exception {
    model.faults().hang();
    read(1);
    assertThat(queues.recover(this::note, LIMIT)).isEqualTo(Recovery.NONE);
    assertThat(queues.abort(1)).isEqualTo(1);
    assertThat(queues.poll(this::note)).isEqualTo(1);
    Thread.sleep(2 * LIMIT.toMillis());
    model.faults().hang();
    read(2);

    assertThat(queues.recover(this::note, LIMIT)).isEqualTo(Recovery.NONE);
    assertThat(queues.abort(2)).isEqualTo(1);
  }

  @Test
  void drainEndsAllWhateverTheyDo() throws VfioException {
    model.faults().hang();
    model.faults().neverEnd();
    for (int i = 0; i < queues.depth(); i++) {
      assertThat(queues.read(namespace, i, block(i), i)).isTrue();
    }

    queues.drain(this::note, LIMIT);

    assertThat(queues.outstanding()).isZero();
    assertThat(ended)
        .containsExactlyInAnyOrder(
            "0: Command Abort Requested",
            "1: " + BY_HOST,
            "2: Successful Completion",
            "3: Successful Completion");
    worksAgain();
  }

  /** A command that hangs is noticed although others end all the time. */
  @Test
  void drainSeesToWhatHangsAmongOthers() throws VfioException {
    model.faults().hang();
    read(1);
    read(2);
    long begin = System.nanoTime();

    queues.drain(
        (tag, status) -> {
          boolean going = ended.isEmpty() && System.nanoTime() - begin < PATIENCE.toNanos();
          if (tag == 2 && going) {
            assertThat(queues.read(namespace, 2, block(2), 2)).isTrue();
          } else {
            note(tag, status);
          }
        },
        LIMIT);

    assertThat(ended).containsExactly("1: Command Abort Requested", "2: Successful Completion");
  }

  @Test
  void fatalStatusIsToldToWhoWaits() throws VfioException {
    QueuePair sleeping = controller.createQueuePairWithInterrupt(4);
    model.faults().die();
    read(1);

    for (QueuePair each : List.of(queues, sleeping)) {
      assertThatExceptionOfType(ControllerFatalException.class)
          .isThrownBy(() -> each.await(this::note, PATIENCE))
          .withMessageContaining("Controller Fatal Status");
    }
    assertThatExceptionOfType(ControllerFatalException.class)
        .isThrownBy(() -> controller.requireAlive());
    assertThatExceptionOfType(ControllerFatalException.class).isThrownBy(() -> controller.health());
    assertThat(ended).isEmpty();

    controller.reset();

    assertThat(queues.poll(this::note)).isEqualTo(1);
    assertThat(ended).containsExactly("1: " + BY_HOST);
    worksAgain();
  }

  @Test
  void controllerThatDiesIsResetOnceForAllPairs() throws VfioException {
    QueuePair second = controller.createQueuePair(4);
    model.faults().die();
    read(1);
    second.read(namespace, 0, block(5), 5);

    assertThat(queues.recover(this::note, PATIENCE)).isEqualTo(Recovery.RESET);
    int once = controller.era();
    assertThat(second.recover(this::note, PATIENCE)).isEqualTo(Recovery.NONE);

    assertThat(controller.era()).isEqualTo(once);
    assertThat(ended).containsExactly("1: " + BY_HOST, "5: " + BY_HOST);
    worksAgain();
  }

  /** Each takes its own commands, and neither ends the reset of the other. */
  @Test
  void pairsRecoverAtATime() throws Exception {
    QueuePair second = controller.createQueuePair(4);
    for (int round = 0; round < 15; round++) {
      model.faults().die();
      List<String> first = new ArrayList<>();
      List<String> others = new ArrayList<>();
      List<Throwable> failures = new ArrayList<>();
      Thread other = Thread.ofPlatform().start(() -> readUntilDone(second, 5, others, failures));
      readUntilDone(queues, 1, first, failures);
      other.join();
      assertThat(failures).isEmpty();
      assertThat(first).last().isEqualTo("Successful Completion");
      assertThat(others).last().isEqualTo("Successful Completion");
    }
  }

  /** Reads, again if that was ended by a reset. */
  private void readUntilDone(
      QueuePair pair, int index, List<String> ends, List<Throwable> failures) {
    try {
      QueuePair.Completions note = (tag, status) -> ends.add(new NvmeStatus(status).toString());
      while (ends.isEmpty() || !ends.getLast().equals("Successful Completion")) {
        int before = ends.size();
        assertThat(pair.read(namespace, index, block(index), index)).isTrue();
        pair.drain(note, PATIENCE);
        assertThat(ends).hasSize(before + 1);
      }
    } catch (Throwable e) {
      synchronized (failures) {
        failures.add(e);
      }
    }
  }

  @Test
  void deviceThatGoesIsToldOfAndItsCommandsEnd() throws VfioException {
    QueuePair sleeping = controller.createQueuePairWithInterrupt(4);
    model.faults().hang();
    model.faults().hang();
    read(1);
    sleeping.read(namespace, 2, block(2), 2);
    sleeping.submit();
    host.faults().vanish();

    for (QueuePair each : List.of(queues, sleeping)) {
      assertThatExceptionOfType(NoSuchDeviceException.class)
          .isThrownBy(() -> each.await(this::note, PATIENCE))
          .withMessageContaining("has gone");
    }
    assertThat(ended).isEmpty();
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> queues.recover(this::note, PATIENCE));
    assertThat(sleeping.poll(this::note)).isEqualTo(1);
    assertThat(ended).containsExactly("1: " + BY_HOST, "2: " + BY_HOST);
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> queues.poll(this::note));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> controller.createQueuePair(1));
    assertThat(ended).hasSize(2);
    queues.close();
    assertThatExceptionOfType(NoSuchDeviceException.class) // of its interrupt
        .isThrownBy(() -> sleeping.close());
  }

  @Test
  void controllerThatDoesNotStopIsStoppedByItsFunction() throws VfioException {
    model.faults().stayReady();
    model.faults().neverEnd();
    read(1);

    controller.reset();

    assertThat(queues.poll(this::note)).isEqualTo(1);
    worksAgain();
  }

  @Test
  void controllerThatDoesNotGetReadyEndsItsCommandsAndMayBeResetAgain() throws VfioException {
    model.faults().hang();
    read(1);
    model.faults().neverGetReady(true);

    assertThatExceptionOfType(DeviceTimeoutException.class).isThrownBy(() -> controller.reset());

    assertThat(device.pci().config().isBusMaster()).isFalse();
    assertThat(queues.poll(this::note)).isEqualTo(1);
    assertThat(ended).containsExactly("1: " + BY_HOST);
    assertThatThrownBy(() -> queues.poll(this::note)).hasMessageContaining("does not run");
    assertThatThrownBy(() -> controller.health()).hasMessageContaining("did not start again");
    read(2); // for when it runs again
    model.faults().neverGetReady(false);
    controller.reset();
    assertThat(queues.poll(this::note)).isEqualTo(1);
    assertThat(ended).containsExactly("1: " + BY_HOST, "2: " + BY_HOST);
    worksAgain();
  }

  /** What is told of an end may give the next command, also when it was told of a reset. */
  @Test
  void commandsThatAreGivenWhileOthersEndAreDone() throws VfioException {
    for (int i = 0; i < queues.depth(); i++) {
      model.faults().neverEnd();
      read(i);
    }
    controller.reset();

    assertThat(
            queues.poll(
                (tag, status) -> {
                  note(tag, status);
                  assertThat(queues.read(namespace, 0, block(0), tag + 10)).isTrue();
                }))
        .isEqualTo(4);
    queues.drain(this::note, PATIENCE);

    assertThat(ended)
        .containsExactlyInAnyOrder(
            "0: " + BY_HOST,
            "1: " + BY_HOST,
            "2: " + BY_HOST,
            "3: " + BY_HOST,
            "10: Successful Completion",
            "11: Successful Completion",
            "12: Successful Completion",
            "13: Successful Completion");
  }

  @Test
  void endThatThrowsTakesNoOtherWithIt() throws VfioException {
    model.faults().neverEnd();
    model.faults().neverEnd();
    read(1);
    read(2);
    controller.reset();

    assertThatThrownBy(
            () ->
                queues.poll(
                    (tag, status) -> {
                      note(tag, status);
                      throw new IllegalStateException("of the caller");
                    }))
        .hasMessage("of the caller");
    assertThat(queues.outstanding()).isEqualTo(1);
    assertThat(queues.poll(this::note)).isEqualTo(1);

    assertThat(ended).containsExactlyInAnyOrder("1: " + BY_HOST, "2: " + BY_HOST);
    worksAgain();
  }

  @Test
  void pairThatDoesNotKnowOfAResetCanBeClosed() throws VfioException {
    controller.reset();
    queues.close();

    assertThat(controller.createQueuePair(1)).hasToString("queue pair 1 of " + controller);
  }

  /** The answer that comes too late would be written over that of another command. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void adminCommandsAreRefusedWhileOneIsUnanswered(boolean reset) throws VfioException {
    model.faults().hang();
    read(1);
    model.faults().ignoreAdmin();
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> controller.abort(1, 0, SHORT));

    assertThatThrownBy(() -> controller.health()).hasMessageContaining("reset the controller");

    if (reset) {
      controller.reset();
      assertThat(controller.health().celsius()).isEqualTo(27);
    }
  }

  /** An answer to what was not asked is not taken for that to what was. */
  @Test
  void answerToAnotherAdminCommandIsNone() throws VfioException {
    model.faults().answerAnotherOfAdmin();
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> controller.abort(1, 0, SHORT));
    controller.reset();
    assertThat(controller.namespaces()).containsExactly(namespace);
  }

  @Test
  void resetEndsTheWaitForAnAnswer() throws Exception {
    model.faults().ignoreAdmin();
    List<Throwable> failures = new ArrayList<>();
    Thread waiting =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    controller.namespaces();
                  } catch (Throwable e) {
                    failures.add(e);
                  }
                });
    while (waiting.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    controller.reset();
    waiting.join(PATIENCE);

    assertThat(failures)
        .singleElement()
        .isInstanceOf(VfioException.class)
        .asString()
        .contains("is reset");
    assertThat(queues.poll(this::note)).isZero();
    worksAgain();
  }

  @Test
  void controllerThatHasFailedIsClosedAtOnce() throws VfioException {
    model.faults().dieOfAdmin();
    assertThatExceptionOfType(ControllerFatalException.class)
        .isThrownBy(() -> controller.namespace(1));

    controller.close(); // and stop() finds no DMA into memory that was freed

    try (NvmeController again = NvmeController.start(device)) {
      assertThat(again.namespaces()).hasSize(1);
    }
  }

  @Test
  void channelGoesOnAfterAReset() throws IOException {
    try (NamespaceChannel channel = controller.open(namespace)) {
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      model.faults().die();
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> channel.position(0).read(ByteBuffer.allocate(3)))
          .withMessageContaining(BY_HOST);
      ByteBuffer read = ByteBuffer.allocate(3);
      assertThat(channel.position(0).read(read)).isEqualTo(3);
      assertThat(read.array()).containsExactly(1, 2, 3);
    }
  }
}
