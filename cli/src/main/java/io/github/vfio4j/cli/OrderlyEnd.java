package io.github.vfio4j.cli;

import java.util.concurrent.CountDownLatch;
import java.util.function.IntSupplier;

/**
 * Keeps the virtual machine, when a signal ends it, until a command that changes something is
 * through, or has undone what it has done. No step of such a command waits without end.
 */
final class OrderlyEnd {

  private OrderlyEnd() {}

  /** Runs a command; a signal interrupts its thread. */
  static int of(IntSupplier command) {
    Thread worker = Thread.currentThread();
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              worker.interrupt();
              await(ended);
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return command.getAsInt();
    } finally {
      ended.countDown();
      remove(hook);
    }
  }

  private static void await(CountDownLatch ended) {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // it is running, for there was a signal
    }
  }
}
