package io.github.vfio4j.outcome;

/** Waits for threads that end soon. */
public final class ThreadEnd {
  private ThreadEnd() {}

  /** Waits until a thread has ended. Where this one is interrupted meanwhile, it stays so. */
  public static void await(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
