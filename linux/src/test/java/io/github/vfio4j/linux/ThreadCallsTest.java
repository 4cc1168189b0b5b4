package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ThreadCallsTest {
  private static final int SIGNAL = 41;
  private static final int SIGQUIT = 3;
  private static final int EINTR = 4;
  private static final int EBUSY = 16;
  private static final int ESRCH = 3;
  private static final int ENOTTY = 25;

  private final Kernel kernel = Kernel.running();
  private final ThreadCalls threads = kernel.threads();

  @Test
  void signalTakesAThreadOutOfItsSleepAndDoesNothingElse() throws Exception {
    assertThat(threads.letInterrupt(SIGNAL)).isZero();
    assertThat(threads.letInterrupt(SIGNAL)).as("again").isZero();
    int eventfd = kernel.eventfd(0, 0);
    CompletableFuture<Integer> number = new CompletableFuture<>();
    CompletableFuture<Integer> answer = new CompletableFuture<>();
    Thread sleeper =
        Thread.ofPlatform()
            .start(
                () -> {
                  MemorySegment polled = Arena.ofAuto().allocate(8);
                  polled.set(JAVA_INT, 0, eventfd);
                  number.complete(threads.self());
                  answer.complete(kernel.poll(polled, 1, MemorySegment.NULL));
                });
    int thread = number.get();

    while (!answer.isDone()) { // a signal before it sleeps is lost
      assertThat(threads.interrupt(thread, SIGNAL)).isIn(0, -ESRCH);
      TimeUnit.MILLISECONDS.sleep(10);
    }

    assertThat(answer.get()).isEqualTo(-EINTR);
    sleeper.join();
    kernel.close(eventfd);
  }

  @Test
  void signalThatSomebodyHandlesIsLeftAlone() {
    assertThat(threads.letInterrupt(SIGQUIT)).as("the JVM prints its threads").isEqualTo(-EBUSY);
  }

  @Test
  void everyThreadHasItsNumber() throws Exception {
    CompletableFuture<Integer> other = new CompletableFuture<>();
    Thread.ofPlatform().start(() -> other.complete(threads.self())).join();
    assertThat(threads.self()).isPositive().isEqualTo(threads.self()).isNotEqualTo(other.get());
  }

  @Test
  void whatIsNoProcessorDoesNotRun() {
    int eventfd = kernel.eventfd(0, 0);
    assertThat(kernel.enter(eventfd)).isEqualTo(-ENOTTY);
    kernel.close(eventfd);
  }
}
