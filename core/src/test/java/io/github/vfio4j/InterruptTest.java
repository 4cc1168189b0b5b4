package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.event.Dispatchers;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.fake.FakeInterrupts;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterruptTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private IrqIndex kind;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    kind = device.pci().msix();
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void countsSignalsUntilSomebodyWaits() throws VfioException {
    Interrupt interrupt = kind.enable(0);
    machine.interrupts.raise(interrupt);
    machine.interrupts.raise(interrupt);

    assertThat(interrupt.await(LONG)).isEqualTo(2);
    assertThat(interrupt.await(Duration.ZERO)).isZero();
    assertThat(interrupt.await(Duration.ofMillis(1))).isZero();
  }

  @Test
  void closingWakesEveryWaiter() throws Exception {
    Interrupt interrupt = kind.enable(1);
    BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
    for (int i = 0; i < 3; i++) {
      Thread.ofPlatform()
          .start(
              () -> {
                try {
                  outcomes.add("fired " + interrupt.awaitNanos(-1));
                } catch (IllegalStateException | VfioException e) {
                  outcomes.add(e.getClass().getSimpleName());
                }
              });
    }
    Thread.sleep(50);

    interrupt.close();

    for (int i = 0; i < 3; i++) {
      assertThat(next(outcomes)).isEqualTo("IllegalStateException");
    }
    assertThatThrownBy(() -> interrupt.await(LONG)).isInstanceOf(IllegalStateException.class);
  }

  private static @Nullable String next(BlockingQueue<String> outcomes) throws InterruptedException {
    return outcomes.poll(LONG.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void vectorsAreCheckedBeforeTheKernelSeesThem() throws VfioException {
    kind.enable(2);
    int before = machine.kernel.log().size();

    assertThatThrownBy(() -> kind.enable(FakeInterrupts.VECTORS))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> kind.enable(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> kind.enable(0, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(kind::enable).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kind.enable(0, 2)).isInstanceOf(DeviceBusyException.class);

    assertThat(machine.kernel.log()).hasSize(before);
    assertThat(kind.enable(0, 3)).extracting(Interrupt::vector).isEqualTo(List.of(0, 3));
  }

  @Test
  void aVectorCanBeEnabledAgainAfterItWasClosed() throws VfioException {
    Interrupt first = kind.enable(1);
    first.close();
    first.close();
    Interrupt second = kind.enable(1);
    machine.interrupts.raise(second);

    assertThat(second.await(LONG)).isEqualTo(1);
  }

  @Test
  void aClosedInterruptDoesNothingToItsSuccessor() throws VfioException {
    IrqIndex intx = device.pci().intx();
    Interrupt closed = intx.enable(0);
    closed.close();
    Interrupt successor = intx.enable(0);
    int before = machine.kernel.log().size();

    for (ThrowingCallable use :
        List.<ThrowingCallable>of(closed::trigger, closed::mask, closed::unmask)) {
      assertThatThrownBy(use)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
    closed.close();

    assertThat(machine.kernel.log()).hasSize(before);
    successor.mask();
    successor.unmask();
    successor.trigger();
    assertThat(successor.await(LONG)).isEqualTo(1);
    intx.disable();
    assertThatThrownBy(successor::trigger).isInstanceOf(IllegalStateException.class);
    device.close();
    assertThatThrownBy(successor::trigger).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void someVectorsAreTriggeredByOneCall() throws VfioException {
    List<Interrupt> all = kind.enable(1, 2, 3);
    int before = machine.kernel.log().size();

    kind.trigger(3, 1, 3);

    assertThat(machine.kernel.log()).hasSize(before + 1);
    assertThat(all.getFirst().await(Duration.ZERO)).isEqualTo(1);
    assertThat(all.get(1).await(Duration.ZERO)).isZero();
    assertThat(all.getLast().await(Duration.ZERO)).isEqualTo(1);
  }

  @Test
  void whatCannotBeTriggeredIsRefusedBeforeTheKernelSeesIt() throws VfioException {
    Interrupt one = kind.enable(1);
    int before = machine.kernel.log().size();

    assertThatThrownBy(kind::trigger).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kind.trigger(1, 2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("vector 2 of MSI-X of " + device.name() + " is not enabled");
    assertThatThrownBy(() -> kind.trigger(1, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> kind.trigger(FakeInterrupts.VECTORS))
        .isInstanceOf(IndexOutOfBoundsException.class);

    assertThat(machine.kernel.log()).hasSize(before);
    assertThat(one.await(Duration.ZERO)).isZero();
    device.close();
    assertThatThrownBy(() -> kind.trigger(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aLineHasOneEventThatUnmasksItUntilEitherIsClosed() throws VfioException {
    IrqIndex intx = device.pci().intx();
    Interrupt line = intx.enable(0);
    Interrupt.Resample first = line.resample();
    assertThat(machine.interrupts.unmaskedByEvent()).isTrue();
    first.signal();
    assertThatThrownBy(line::resample).isInstanceOf(DeviceBusyException.class);

    first.close();
    first.close();
    assertThat(machine.interrupts.unmaskedByEvent()).isFalse();
    assertThatThrownBy(first::signal)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the resample of vector 0 of INTx");

    Interrupt.Resample second = line.resample();
    first.close();
    assertThat(machine.interrupts.unmaskedByEvent()).isTrue();
    line.close();
    assertThatThrownBy(second::signal).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(line::resample).isInstanceOf(IllegalStateException.class);
    second.close();
    assertThat(machine.interrupts.unmaskedByEvent()).isFalse();

    Interrupt.Resample third = intx.enable(0).resample();
    device.close();
    third.close();
    assertThatThrownBy(third::signal).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aKindThatCannotBeMaskedSaysSo() throws VfioException {
    Interrupt interrupt = kind.enable(0);
    assertThatThrownBy(interrupt::resample).isInstanceOf(UnsupportedOperationException.class);

    assertThatThrownBy(interrupt::mask).isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(interrupt::unmask).isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void theDispatcherDeliversAndSurvivesAHandlerThatThrows() throws Exception {
    BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
    try (EventDispatcher dispatcher = Dispatchers.start(machine.kernel)) {
      Interrupt good = kind.enable(0);
      Interrupt bad = kind.enable(3);
      dispatcher.register(good, (source, count) -> outcomes.add("vector " + source.vector()));
      dispatcher.register(
          bad,
          (source, count) -> {
            Thread.currentThread()
                .setUncaughtExceptionHandler((thread, e) -> outcomes.add(e.getMessage()));
            throw new IllegalArgumentException("handler failed");
          });

      machine.interrupts.raise(bad);
      assertThat(next(outcomes)).isEqualTo("handler failed");
      machine.interrupts.raise(good);
      assertThat(next(outcomes)).isEqualTo("vector 0");
      assertThatThrownBy(() -> dispatcher.register(good, (source, count) -> {}))
          .isInstanceOf(DeviceBusyException.class);
    }
  }

  @Test
  void aRegistrationEndsWithItsInterruptAndTheVectorCanBeRegisteredAgain() throws Exception {
    BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
    try (EventDispatcher dispatcher = Dispatchers.start(machine.kernel)) {
      for (int round = 0; round < 20; round++) {
        Interrupt interrupt = kind.enable(1);
        dispatcher.register(interrupt, (source, count) -> outcomes.add("fired"));
        machine.interrupts.raise(interrupt);
        assertThat(next(outcomes)).isEqualTo("fired");
        interrupt.close();
      }
    }
  }

  @Test
  void afterClosingARegistrationItsHandlerIsNotRunning() throws Exception {
    Interrupt interrupt = kind.enable(0);
    CountDownLatch entered = new CountDownLatch(1);
    BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
    try (EventDispatcher dispatcher = Dispatchers.start(machine.kernel)) {
      var registration =
          dispatcher.register(
              interrupt,
              (source, count) -> {
                entered.countDown();
                try {
                  Thread.sleep(100);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                outcomes.add("left");
              });
      machine.interrupts.raise(interrupt);
      entered.await();

      registration.close();

      assertThat(outcomes).containsExactly("left");
      machine.interrupts.raise(interrupt);
      assertThat(interrupt.await(LONG)).isEqualTo(1);
    }
  }

  @Test
  void aHandlerMayCloseItsInterruptAndTheDispatcher() throws Exception {
    Interrupt interrupt = kind.enable(0);
    BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
    EventDispatcher dispatcher = Dispatchers.start(machine.kernel);
    dispatcher.register(
        interrupt,
        (source, count) -> {
          try {
            source.close();
            dispatcher.close();
            outcomes.add("closed");
          } catch (VfioException e) {
            outcomes.add(e.toString());
          }
        });
    machine.interrupts.raise(interrupt);

    assertThat(next(outcomes)).isEqualTo("closed");
    dispatcher.close();
    assertThatThrownBy(() -> dispatcher.register(interrupt, (source, count) -> {}))
        .isInstanceOf(IllegalStateException.class);
  }
}
