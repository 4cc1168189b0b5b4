package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
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
}
