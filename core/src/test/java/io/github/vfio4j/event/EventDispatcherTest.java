package io.github.vfio4j.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.handover.OpenFile;
import io.github.vfio4j.outcome.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What handlers throw is told, and closing from anywhere comes to its end. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EventDispatcherTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private IrqIndex kind;
  private EventDispatcher dispatcher;
  private final ExecutorService others = Executors.newCachedThreadPool();
  private final BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch leave = new CountDownLatch(1);

  @BeforeEach
  void start() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    kind = device.pci().msix();
    dispatcher = Dispatchers.start(machine.kernel);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    dispatcher.close();
    device.close();
    others.shutdownNow();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static void close(AutoCloseable closed) {
    try {
      closed.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private Future<?> meanwhile(Step step) {
    return others.submit(
        () -> {
          step.run();
          return null;
        });
  }

  private void collectUncaught() {
    Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> uncaught.add(thrown));
  }

  /** Has a handler run until it is told to leave. */
  private EventDispatcher.Registration busyHandler(Interrupt interrupt) throws Exception {
    EventDispatcher.Registration registration =
        dispatcher.register(
            interrupt,
            (source, count) -> {
              entered.countDown();
              await(leave);
            });
    machine.interrupts.raise(interrupt);
    entered.await();
    return registration;
  }

  private static void assertWaits(Future<?> closing) throws InterruptedException {
    Thread.sleep(50);
    assertThat(closing.isDone()).isFalse();
  }

  static List<Throwable> everyKindOfFailure() {
    return List.of(
        new IllegalStateException("my own state"),
        new IllegalArgumentException("argument"),
        new LinkageError("not linked"));
  }

  private static void sneakily(Throwable thrown) {
    switch (thrown) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(thrown);
    }
  }

  @ParameterizedTest
  @MethodSource("everyKindOfFailure")
  void whatAHandlerThrowsIsToldThoughItHasClosedItsSource(Throwable failure) throws Exception {
    Interrupt interrupt = kind.enable(0);
    dispatcher.register(
        interrupt,
        (source, count) -> {
          collectUncaught();
          close(source);
          sneakily(failure);
        });
    machine.interrupts.raise(interrupt);

    assertThat(uncaught.take()).isSameAs(failure);
  }

  @Test
  void anUncaughtExceptionHandlerThatThrowsEndsNothing() throws Exception {
    Interrupt bad = kind.enable(0);
    Interrupt good = kind.enable(1);
    IllegalStateException failure = new IllegalStateException("thrown by a test, on purpose");
    IllegalStateException another = new IllegalStateException("and by its uncaught handler");
    dispatcher.register(
        bad,
        (source, count) -> {
          Thread.currentThread()
              .setUncaughtExceptionHandler(
                  (thread, thrown) -> {
                    throw another;
                  });
          throw failure;
        });
    CountDownLatch delivered = new CountDownLatch(1);
    dispatcher.register(good, (source, count) -> delivered.countDown());
    machine.interrupts.raise(bad);
    machine.interrupts.raise(good);

    delivered.await();
    dispatcher.close();

    assertThat(failure.getSuppressed()).containsExactly(another);
  }

  @Test
  void aSourceThatCannotBeReadIsToldOnceAndLeftOut() throws Exception {
    Interrupt bad = kind.enable(0);
    Interrupt good = kind.enable(1);
    BlockingQueue<Long> delivered = new LinkedBlockingQueue<>();
    dispatcher.register(
        good,
        (source, count) -> {
          collectUncaught();
          delivered.add(count);
        });
    machine.interrupts.raise(good);
    delivered.take();
    dispatcher.register(bad, (source, count) -> delivered.add(count));
    int fd = ((EventChannel.Source<?>) bad).channel().file().call(number -> number);
    machine.kernel.failReading(fd, Errno.EIO);

    machine.interrupts.raise(bad);

    assertThat(uncaught.take())
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("read on vector 0")
        .hasMessageContaining("EIO");
    assertThat(uncaught.poll(100, TimeUnit.MILLISECONDS)).isNull();
    machine.interrupts.raise(good);
    assertThat(delivered.take()).isOne();

    machine.kernel.failReading(fd, null);
    dispatcher.register(bad, (source, count) -> delivered.add(count));
    assertThat(delivered.take()).isOne();
  }

  @Test
  void aDispatcherThatCannotWaitTakesNoMoreSourcesAndSaysWhy() throws Exception {
    Interrupt interrupt = kind.enable(0);
    dispatcher.register(
        interrupt,
        (source, count) -> {
          collectUncaught();
          machine.kernel.failWaiting(Errno.EINVAL);
          entered.countDown();
        });
    machine.interrupts.raise(interrupt);
    entered.await();
    machine.interrupts.raise(interrupt);
    Throwable failure = uncaught.take();
    assertThat(failure)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("epoll_wait")
        .hasMessageContaining("EINVAL");

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> dispatcher.register(kind.enable(1), (source, count) -> {}))
        .withMessageContaining("the event dispatcher has ended")
        .withCause(failure);

    machine.kernel.waitAgain();
    try (EventDispatcher other = Dispatchers.start(machine.kernel)) {
      other.register(interrupt, (source, count) -> leave.countDown());
      machine.interrupts.raise(interrupt);
      leave.await();
    }
  }

  @Test
  void interruptsThatMergeAreOneCallThatCountsThem() throws Exception {
    Interrupt interrupt = kind.enable(0);
    BlockingQueue<Long> counts = new LinkedBlockingQueue<>();
    dispatcher.register(
        interrupt,
        (source, count) -> {
          counts.add(count);
          entered.countDown();
          await(leave);
        });
    machine.interrupts.raise(interrupt);
    entered.await();
    for (int i = 0; i < 3; i++) {
      machine.interrupts.raise(interrupt);
    }
    leave.countDown();

    assertThat(counts.take()).isOne();
    assertThat(counts.take()).isEqualTo(3);
  }

  @Test
  void everyoneWhoClosesWaitsForTheHandler() throws Exception {
    busyHandler(kind.enable(0));

    Future<?> first = meanwhile(dispatcher::close);
    assertWaits(first);
    Future<?> second = meanwhile(dispatcher::close);
    assertWaits(second);
    leave.countDown();

    first.get();
    second.get();
  }

  @Test
  void whoClosesAfterAHandlerHasClosedWaitsForIt() throws Exception {
    Interrupt interrupt = kind.enable(0);
    dispatcher.register(
        interrupt,
        (source, count) -> {
          close(dispatcher);
          entered.countDown();
          await(leave);
        });
    machine.interrupts.raise(interrupt);
    entered.await();

    Future<?> closing = meanwhile(dispatcher::close);
    assertWaits(closing);
    leave.countDown();

    closing.get();
  }

  @Test
  void aHandlerThatClosesWhileAnotherThreadDoesWaitsForNobody() throws Exception {
    Interrupt interrupt = kind.enable(0);
    dispatcher.register(
        interrupt,
        (source, count) -> {
          entered.countDown();
          await(leave);
          close(dispatcher);
        });
    machine.interrupts.raise(interrupt);
    entered.await();

    Future<?> closing = meanwhile(dispatcher::close);
    assertWaits(closing);
    leave.countDown();

    closing.get();
  }

  @Test
  void afterClosingItsSourcesCanBeRegisteredElsewhere() throws Exception {
    Interrupt interrupt = kind.enable(0);
    dispatcher.register(interrupt, (source, count) -> {});
    dispatcher.close();

    try (EventDispatcher other = Dispatchers.start(machine.kernel)) {
      other.register(interrupt, (source, count) -> entered.countDown());
      machine.interrupts.raise(interrupt);
      entered.await();
    }
  }

  @Test
  void aRegistrationThatFailsLeavesNothingBehind() throws Exception {
    Interrupt interrupt = kind.enable(0);
    for (int i = 0; i < 20; i++) {
      machine.kernel.failCall(1, Errno.ENOSPC);
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> dispatcher.register(interrupt, (source, count) -> {}))
          .satisfies(e -> assertThat(e.errno()).contains(Errno.ENOSPC));
    }

    dispatcher.register(interrupt, (source, count) -> entered.countDown());
    machine.interrupts.raise(interrupt);
    entered.await();
  }

  @Test
  void closingRegistrationAndDispatcherAtOnceComesToItsEnd() throws Exception {
    for (int round = 0; round < 1000; round++) {
      EventDispatcher raced = Dispatchers.start(machine.kernel);
      Interrupt interrupt = kind.enable(0);
      EventDispatcher.Registration registration = raced.register(interrupt, (source, count) -> {});
      CyclicBarrier start = new CyclicBarrier(2);
      Future<?> other =
          others.submit(
              () -> {
                start.await();
                registration.close();
                return null;
              });
      start.await();
      raced.close();
      other.get();
      interrupt.close();
    }
  }

  /** Or it would be told without end of a counter that nobody here reads. */
  @Test
  void fileThatOthersHaveToIsNotWatchedOnceTheSourceIsClosed() throws IOException {
    List<String> watched = watched();
    Interrupt interrupt = kind.enable(0);
    try (OpenFile passed = OpenFile.of(interrupt)) {
      dispatcher.register(interrupt, (_, _) -> {});
      assertThat(watched()).hasSize(watched.size() + 1);

      interrupt.close();

      assertThat(watched()).containsExactlyInAnyOrderElementsOf(watched);
      assertThat(Files.readAllLines(Path.of("/proc/self/fdinfo/" + passed.fd())))
          .as("closing signals nobody")
          .contains("eventfd-count:                0");
    }
  }

  /** Returns what all epoll instances of this process watch. */
  private static List<String> watched() throws IOException {
    List<String> watched = new ArrayList<>();
    for (int fd = 3; fd < 1024; fd++) {
      Path link = Path.of("/proc/self/fd/" + fd);
      if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)
          && Files.readSymbolicLink(link).toString().contains("eventpoll")) {
        Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
            .filter(line -> line.startsWith("tfd:"))
            .forEach(watched::add);
      }
    }
    return watched;
  }
}
