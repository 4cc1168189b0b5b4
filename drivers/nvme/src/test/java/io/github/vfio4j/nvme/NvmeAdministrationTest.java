package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is asked of a controller besides its blocks. */
class NvmeAdministrationTest {
  private static final int BLOCK = 512;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final AsyncEvent TOO_HOT = new AsyncEvent(AsyncEvent.HEALTH, 1, 2);

  private final NvmeModel model = new NvmeModel(64, BLOCK);
  private ModelHost host;
  private VfioDevice device;
  private NvmeController controller;

  @BeforeEach
  void start() throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
    controller = NvmeController.start(device);
  }

  @AfterEach
  void stop() throws VfioException {
    controller.close();
    device.close();
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  @Test
  void featureHasCurrentDefaultAndSavedValues() throws VfioException {
    Features features = controller.features();
    int arbitration = 1;
    features.set(arbitration, 3);
    assertThat(features.get(arbitration, Features.Value.CURRENT)).isEqualTo(3);
    assertThat(features.get(arbitration, Features.Value.DEFAULT)).isZero();
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> features.set(arbitration, 0, 3, true))
        .withMessageContaining("Feature Identifier Not Saveable");

    int cache = 6;
    features.set(cache, 0, 0, true);
    assertThat(features.get(cache, Features.Value.SAVED)).isZero();
    assertThat(features.get(cache, Features.Value.DEFAULT)).isEqualTo(1);

    controller.reset();

    assertThat(features.get(arbitration, Features.Value.CURRENT)).isZero();
    assertThat(features.hasVolatileCacheOn()).isFalse();
  }

  @Test
  void volatileCacheIsSwitched() throws VfioException {
    Features features = controller.features();
    assertThat(features.hasVolatileCacheOn()).isTrue();
    features.setVolatileCache(false);
    assertThat(features.hasVolatileCacheOn()).isFalse();
    features.setVolatileCache(true);
    assertThat(features.hasVolatileCacheOn()).isTrue();
  }

  @Test
  void temperaturesAreInDegrees() throws VfioException {
    Features features = controller.features();
    assertThat(features.overTemperature()).isEqualTo(70);
    features.setOverTemperature(60);
    features.setUnderTemperature(-40);
    assertThat(features.overTemperature()).isEqualTo(60);
    assertThat(features.underTemperature()).isEqualTo(-40);
    assertThatIllegalArgumentException().isThrownBy(() -> features.setOverTemperature(-274));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> features.setOverTemperature(Integer.MAX_VALUE));
  }

  @Test
  void featuresThatCannotBeAreRefused() {
    Features features = controller.features();
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> features.get(0xc7, Features.Value.CURRENT))
        .withMessageContaining("Get Features")
        .withMessageContaining("Invalid Field in Command");
    assertThatIllegalArgumentException().isThrownBy(() -> features.set(7, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> features.set(256, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> features.get(-1, Features.Value.CURRENT));
  }

  @Test
  void failedCommandsAreInTheLog() throws VfioException {
    assertThat(controller.logPages().errors()).isEmpty();
    for (int id = 5; id < 30; id++) {
      int absent = id;
      assertThatExceptionOfType(NvmeException.class).isThrownBy(() -> controller.namespace(absent));
    }

    List<ErrorEntry> errors = controller.logPages().errors();

    assertThat(errors).hasSize(16); // as many as the model remembers
    assertThat(errors.getFirst().count()).isEqualTo(25);
    assertThat(errors.getFirst().namespace()).isEqualTo(29);
    assertThat(errors.getFirst().queue()).isZero();
    assertThat(errors.getFirst().status()).hasToString("Invalid Namespace or Format");
  }

  @Test
  void firmwareIsInItsSlots() throws VfioException {
    assertThat(controller.logPages().firmware())
        .isEqualTo(new FirmwareLog(1, 2, List.of("1.0", "2.0", "", "", "", "", "")));
  }

  @Test
  void logsAreReadInParts() throws VfioException {
    byte[] whole = controller.logPages().read(2, -1, 0, 512);
    assertThat(controller.logPages().read(2, -1, 64, 100))
        .isEqualTo(Arrays.copyOfRange(whole, 64, 164));
    assertThat(controller.logPages().read(4, -1, 0, 4100)).hasSize(4100).containsOnly(0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> controller.logPages().read(2, -1, 2, 512));
    assertThatIllegalArgumentException().isThrownBy(() -> controller.logPages().read(2, -1, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> controller.logPages().read(2, -1, -4, 4));
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> controller.logPages().read(0xc0, -1, 0, 512))
        .withMessageContaining("Invalid Log Page");
  }

  @Test
  void eventIsToldOnceUntilItsLogIsRead() throws VfioException {
    try (AsyncEvents events = controller.listen()) {
      assertThat(events.poll()).isEmpty();
      assertThat(events.await(Duration.ofMillis(5))).isEmpty();

      controller.features().setOverTemperature(20);

      assertThat(events.await(PATIENCE)).contains(TOO_HOT);
      assertThat(TOO_HOT).hasToString("Temperature Threshold");
      model.setTemperature(90);
      assertThat(events.poll()).isEmpty();
      assertThat(controller.health().criticalWarnings())
          .containsExactly("the temperature is out of bounds");
      assertThat(events.poll()).contains(TOO_HOT);
    }
  }

  /** The answers of commands and of the request come through the same queue. */
  @Test
  void eventsAndCommandsDoNotTakeEachOthersAnswers() throws Exception {
    try (AsyncEvents events = controller.listen()) {
      List<Throwable> failures = new ArrayList<>();
      List<AsyncEvent> seen = new ArrayList<>();
      Thread listener =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (seen.size() < 20) {
                        events.await(PATIENCE).ifPresent(seen::add);
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  });
      controller.features().setOverTemperature(20);
      for (int i = 0; listener.isAlive(); i++) {
        assertThat(controller.health().celsius()).isEqualTo(27); // which lets it be told again
        assertThat(controller.features().get(1, Features.Value.CURRENT)).isZero();
        assertThat(i).isLessThan(1_000_000);
      }
      listener.join();
      assertThat(failures).isEmpty();
      assertThat(seen).hasSize(20).containsOnly(TOO_HOT);
    }
  }

  @Test
  void listeningGoesOnAfterAReset() throws VfioException {
    try (AsyncEvents events = controller.listen()) {
      controller.reset();
      controller.features().setOverTemperature(20);
      assertThat(events.await(PATIENCE)).contains(TOO_HOT);
    }
  }

  @Test
  void listeningEnds() throws VfioException {
    AsyncEvents events = controller.listen();
    assertThatIllegalStateException()
        .isThrownBy(() -> controller.listen())
        .withMessageContaining("already");
    events.close();
    events.close();

    assertThatIllegalStateException().isThrownBy(() -> events.poll());
    assertThat(controller.features().get(0x0b, Features.Value.CURRENT)).isZero();
    controller.features().setOverTemperature(20);
    try (AsyncEvents again = controller.listen()) { // by the request that is there still
      assertThat(again.poll()).contains(TOO_HOT);
    }
  }

  @Test
  void listenerHearsThatTheControllerIsNoMore() throws VfioException {
    AsyncEvents events = controller.listen();
    model.faults().dieOfAdmin();
    assertThatExceptionOfType(ControllerFatalException.class)
        .isThrownBy(() -> controller.namespaces());
    assertThatExceptionOfType(ControllerFatalException.class)
        .isThrownBy(() -> events.await(PATIENCE));
    controller.reset();
    assertThat(events.poll()).isEmpty();

    host.faults().vanish();

    assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(() -> events.await(PATIENCE));
    controller.close();
    assertThatIllegalStateException().isThrownBy(() -> events.poll());
    events.close();
  }

  @Test
  void refusedRequestForEventsSaysSo() throws VfioException {
    AsyncEvents events = controller.listen();
    controller.features().setOverTemperature(20);
    model.faults().failAdmin(0x105);
    assertThat(events.poll()).contains(TOO_HOT); // and asks for the next one
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> events.poll())
        .withMessageContaining("Asynchronous Event Request Limit Exceeded");
    assertThat(events.poll()).isEqualTo(Optional.empty());
  }

  @Test
  void interruptedWaitSaysSo() throws VfioException {
    AsyncEvents events = controller.listen();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> events.await(PATIENCE)).hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }

  /** Doorbells that say nothing new are errors, of which a controller tells. */
  @Test
  void submittingNothingIsNoError() throws VfioException {
    QueuePair queues = controller.createQueuePair(4);
    try (AsyncEvents events = controller.listen()) {
      queues.submit();
      queues.flush(controller.namespace(1), 1);
      queues.submit();
      queues.submit();
      assertThat(events.poll()).isEmpty();
    }
  }

  @Test
  void namespaceIsFormatted() throws VfioException {
    NamespaceAdministration administration = controller.administration();
    List<BlockFormat> formats = administration.formats(1);
    assertThat(formats)
        .hasSize(5)
        .contains(new BlockFormat(0, 512, 0, 0), new BlockFormat(4, 512, 8, 0));
    try (AsyncEvents events = controller.listen()) {
      administration.format(1, formats.get(3), NamespaceAdministration.Erase.USER_DATA, PATIENCE);

      assertThat(controller.namespaces()).containsExactly(new Namespace(1, 8, 4096));
      assertThat(events.poll())
          .hasValueSatisfying(it -> assertThat(it).hasToString("Namespace Attribute Changed"));
      assertThat(controller.logPages().changedNamespaces()).containsExactly(1);
      assertThat(controller.logPages().changedNamespaces()).isEmpty();
    }
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(
            () ->
                administration.format(
                    1, formats.get(4), NamespaceAdministration.Erase.NOTHING, PATIENCE))
        .withMessageContaining("Invalid Format");
  }

  @Test
  void namespaceComesAndGoes() throws VfioException {
    NamespaceAdministration administration = controller.administration();
    BlockFormat format = administration.formats(NamespaceAdministration.ALL).get(3);

    int id = administration.create(100, format);

    assertThat(id).isEqualTo(2);
    assertThat(administration.allocated()).containsExactly(1, 2);
    assertThat(controller.namespaces()).hasSize(1);
    administration.attach(id);
    assertThat(controller.namespace(id)).isEqualTo(new Namespace(2, 100, 4096));
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> administration.attach(id))
        .withMessageContaining("Namespace Already Attached");
    administration.detach(id);
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> administration.detach(id))
        .withMessageContaining("Namespace Not Attached");
    administration.delete(id);
    assertThat(administration.allocated()).containsExactly(1);
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> administration.create(Long.MAX_VALUE, format))
        .withMessageContaining("Namespace Insufficient Capacity");
    assertThatIllegalArgumentException().isThrownBy(() -> administration.create(0, format));
  }

  @Test
  void whatTheControllerDoesNotHaveIsRefusedWithoutAskingIt() throws VfioException {
    try (ModelHost plain = ModelHost.of(new NvmeModel(8, BLOCK).withoutAdministration());
        VfioDevice other = plain.open();
        NvmeController small = NvmeController.start(other)) {
      NamespaceAdministration administration = small.administration();
      BlockFormat format = administration.formats(1).getFirst();

      assertThatThrownBy(
              () ->
                  administration.format(1, format, NamespaceAdministration.Erase.NOTHING, PATIENCE))
          .hasMessageContaining("does not have the command Format NVM");
      assertThatThrownBy(() -> administration.create(1, format))
          .hasMessageContaining("does not have the commands that manage namespaces");
      assertThatThrownBy(() -> administration.delete(1)).hasMessageContaining("does not have");
      assertThatThrownBy(() -> administration.attach(1)).hasMessageContaining("does not have");
      assertThatThrownBy(() -> administration.detach(1)).hasMessageContaining("does not have");
      assertThatThrownBy(() -> administration.allocated()).hasMessageContaining("does not have");
      assertThatThrownBy(() -> small.keepAlive()).hasMessageContaining("Keep Alive");
      assertThatThrownBy(() -> small.features().setKeepAlive(PATIENCE))
          .hasMessageContaining("Keep Alive");
      assertThat(small.logPages().errors()).isEmpty();
    }
  }

  @Test
  void controllerStopsWithoutASignOfLife() throws Exception {
    controller.features().setKeepAlive(Duration.ofMillis(300));
    for (int i = 0; i < 20; i++) {
      Thread.sleep(20);
      controller.keepAlive();
    }
    Thread.sleep(400);

    assertThatExceptionOfType(ControllerFatalException.class)
        .isThrownBy(() -> controller.requireAlive());
    controller.reset();
    controller.keepAlive();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> controller.features().setKeepAlive(Duration.ofDays(25)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> controller.features().setKeepAlive(Duration.ofNanos(-1)));
  }

  @Test
  void commandIsPutTogetherByHand() throws VfioException {
    NvmeCommand identify = NvmeCommand.of(0x06, 0).withWord(10, 1);
    try (DmaBuffer buffer = device.addressSpace().allocate(8192)) {
      controller.admin(identify, buffer.slice(0, 4096), PATIENCE);
      assertThat(buffer.segment().asSlice(24, 17).toArray(ValueLayout.JAVA_BYTE))
          .asString()
          .isEqualTo("vfio4j NVMe model");
      assertThat(
              controller.admin(NvmeCommand.of(0x0a, 0).withWord(10, 4).withWord(11, 0), PATIENCE))
          .isEqualTo(343);

      QueuePair queues = controller.createQueuePair(2);
      NvmeCommand write = NvmeCommand.of(0x01, 1).withWord(10, 5).withWord(12, 7);
      NvmeCommand read = NvmeCommand.of(0x02, 1).withWord(10, 5).withWord(12, 7);
      buffer.segment().fill((byte) 3);
      List<String> ended = new ArrayList<>();
      QueuePair.Completions note = (tag, status) -> ended.add(tag + ":" + new NvmeStatus(status));
      assertThat(queues.command(write, buffer.slice(0, 4096), 1)).isTrue();
      queues.drain(note, PATIENCE);
      assertThat(queues.command(read, buffer.slice(4096, 4096), 2)).isTrue();
      assertThat(queues.command(NvmeCommand.of(0xff, 1), 3)).isTrue();
      assertThat(queues.command(read, 4)).isFalse();
      assertThat(queues.command(read, buffer.slice(0, 4096), 4)).isFalse();
      buffer.segment().asSlice(4096).fill((byte) 0);
      queues.drain(note, PATIENCE);

      assertThat(ended)
          .containsExactly(
              "1:Successful Completion", "2:Successful Completion", "3:Invalid Command Opcode");
      assertThat(buffer.segment().asSlice(4096).toArray(ValueLayout.JAVA_BYTE)).containsOnly(3);
    }
  }

  @Test
  void commandsByHandDoNotTakeTheDriversQueues() throws VfioException {
    for (int opcode : new int[] {0x00, 0x01, 0x04, 0x05, 0x0c, 0x7c}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> controller.admin(NvmeCommand.of(opcode, 0), PATIENCE))
          .withMessageContaining("queues");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> controller.admin(NvmeCommand.of(0x09, 0).withWord(10, 7), PATIENCE));
    assertThatIllegalArgumentException().isThrownBy(() -> NvmeCommand.of(256, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> NvmeCommand.of(0, 0).withWord(9, 0));
    try (DmaBuffer buffer = device.addressSpace().allocate(1 << 20)) {
      for (DmaSlice data : List.of(buffer.slice(0, 1 << 20), buffer.slice(2, 4096))) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> controller.admin(NvmeCommand.of(0x06, 0), data, PATIENCE));
      }
    }
  }

  @Test
  void commandByHandHasItsOwnTime() {
    model.faults().ignoreAdmin();
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> controller.admin(NvmeCommand.of(0x18, 0), Duration.ofMillis(30)))
        .withMessageContaining("command 0x18")
        .withMessageContaining("30 ms");
  }
}
