package io.github.vfio4j.kerneltests;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.event.EventDispatcher.Registration;
import io.github.vfio4j.event.EventHandler;
import io.github.vfio4j.lab.OnMachine;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** The dispatcher brings the interrupts of several devices to their handlers. */
@OnMachine(OnMachine.IOMMU)
@Bound({Device.EDU, Device.NVME})
class DispatcherTest {
  private static Interrupt take(BlockingQueue<Interrupt> fired) throws InterruptedException {
    return java.util.Objects.requireNonNull(fired.poll(20, SECONDS), "no interrupt came");
  }

  @EachBackend
  void interruptsOfTwoDevicesComeOnOneThread(Backend backend) throws Exception {
    var fired = new LinkedBlockingQueue<Interrupt>();
    var threads = new LinkedBlockingQueue<Thread>();
    try (EventDispatcher dispatcher = EventDispatcher.start();
        VfioDevice edu = VfioDevice.open(Machine.EDU, backend);
        VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      EventHandler<Interrupt, Long> handler =
          (interrupt, count) -> {
            threads.add(Thread.currentThread());
            fired.add(interrupt);
          };
      Interrupt message = edu.pci().msi().enable(0);
      Interrupt vector = nvme.pci().msix().enable(7);
      dispatcher.register(message, handler);
      vector.trigger(); // before anybody listens
      Registration registration = dispatcher.register(vector, handler);
      assertThat(take(fired)).isSameAs(vector);

      message.trigger();
      assertThat(take(fired)).isSameAs(message);
      vector.trigger();
      assertThat(take(fired)).isSameAs(vector);
      assertThat(threads)
          .hasSize(3)
          .containsOnly(threads.peek())
          .doesNotContain(Thread.currentThread());

      registration.close();
      registration.close();
      vector.trigger();
      message.trigger();
      assertThat(take(fired)).isSameAs(message);
      assertThat(fired).isEmpty();
      assertThat(vector.await(Duration.ZERO)).isEqualTo(1);
    }
  }

  @EachBackend
  void handlerThatThrowsIsReportedAndCalledAgain(Backend backend) throws Exception {
    var reported = new CompletableFuture<Throwable>();
    var fired = new LinkedBlockingQueue<Interrupt>();
    Thread.UncaughtExceptionHandler former = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> reported.complete(thrown));
    try (EventDispatcher dispatcher = EventDispatcher.start();
        VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      Interrupt vector = nvme.pci().msix().enable(0);
      dispatcher.register(
          vector,
          (interrupt, count) -> {
            fired.add(interrupt);
            throw new UnsupportedOperationException("by the handler");
          });

      vector.trigger();
      take(fired);
      assertThat(reported.get(20, SECONDS)).hasMessage("by the handler");
      vector.trigger();
      take(fired);
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(former);
    }
  }

  @EachBackend
  void handlerMayCloseWhatItServes(Backend backend) throws Exception {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      EventDispatcher dispatcher = EventDispatcher.start();
      Interrupt first = nvme.pci().msix().enable(0);
      Interrupt second = nvme.pci().msix().enable(1);
      var closed = new LinkedBlockingQueue<Interrupt>();
      dispatcher.register(
          first,
          (interrupt, count) -> {
            try {
              interrupt.close();
              closed.add(interrupt);
            } catch (VfioException e) {
              throw new AssertionError(e);
            }
          });
      dispatcher.register(
          second,
          (interrupt, count) -> {
            try {
              dispatcher.close();
              closed.add(interrupt);
            } catch (VfioException e) {
              throw new AssertionError(e);
            }
          });

      first.trigger();
      assertThat(take(closed)).isSameAs(first);
      second.trigger();
      assertThat(take(closed)).isSameAs(second);

      assertThatIllegalStateException().isThrownBy(() -> first.await(Duration.ZERO));
      second.trigger();
      assertThat(second.await(Duration.ofSeconds(20))).isEqualTo(1);
      dispatcher.close();
    }
  }

  @EachBackend
  void interruptHasOneHandler(Backend backend) throws Exception {
    var fired = new LinkedBlockingQueue<Interrupt>();
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend);
        EventDispatcher other = EventDispatcher.start()) {
      EventDispatcher dispatcher = EventDispatcher.start();
      Interrupt vector = nvme.pci().msix().enable(0);
      Registration registration = dispatcher.register(vector, (interrupt, count) -> {});
      assertThatThrownBy(() -> other.register(vector, (interrupt, count) -> {}))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("has a handler already");

      registration.close();
      other.register(vector, (interrupt, count) -> fired.add(interrupt));
      dispatcher.close();
      dispatcher.close();
      vector.trigger();
      assertThat(take(fired)).isSameAs(vector);

      assertThatIllegalStateException()
          .isThrownBy(() -> dispatcher.register(vector, (interrupt, count) -> {}));
      vector.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> other.register(vector, (interrupt, count) -> {}));
    }
  }
}
