package io.github.vfio4j.kerneltests.sequences;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes calls, compares what comes of them with what was expected, and remembers the last ones. */
final class Journal {
  private static final int REMEMBERED = 60;

  private final String name;
  private final Tally tally;
  private final Deque<String> last = new ArrayDeque<>();
  private long calls;

  /** Starts a journal of a sequence or of a thread. */
  Journal(String name, Tally tally) {
    this.name = name;
    this.tally = tally;
  }

  /** Something that can be called. */
  @FunctionalInterface
  interface Call<T> {
    @Nullable T run() throws Exception;
  }

  /** Something that can be called and gives nothing back. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  /**
   * Makes a call and returns what it returned, or nothing if it threw as expected.
   *
   * @param expected what may come of it; asked after the call, for other threads may close things
   * @param interrupted whether the thread is interrupted when it makes the call, and has to be
   *     afterwards
   */
  <T> Optional<T> perform(
      String what, Supplier<Expected> expected, boolean interrupted, Call<T> call) {
    calls++;
    T result = null;
    Exception thrown = null;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    long start = System.nanoTime();
    try {
      result = call.run();
    } catch (Exception e) {
      thrown = e;
    }
    tally.count(what, thrown, System.nanoTime() - start);
    if (interrupted) {
      require(Thread.interrupted(), what + " took the interrupt away");
    }
    note(what + (thrown == null ? ": " + result : ": " + thrown));
    if (!expected.get().allows(thrown)) {
      throw wrong(what + " should have come to " + expected.get(), thrown);
    }
    return Optional.ofNullable(result);
  }

  /** Makes a call that gives nothing back and returns whether it returned. */
  boolean perform(String what, Supplier<Expected> expected, boolean interrupted, Step step) {
    return perform(
            what,
            expected,
            interrupted,
            () -> {
              step.run();
              return "done";
            })
        .isPresent();
  }

  void require(boolean truth, String otherwise) {
    if (!truth) {
      throw wrong(otherwise, null);
    }
  }

  void note(String line) {
    if (last.size() == REMEMBERED) {
      last.removeFirst();
    }
    last.addLast(line);
  }

  AssertionError wrong(String what, @Nullable Throwable cause) {
    var text = new StringWriter();
    text.write(name + ", call " + calls + ": " + what);
    last.forEach(line -> text.write("\n  " + line));
    if (cause != null) {
      text.write("\n");
      cause.printStackTrace(new PrintWriter(text));
    }
    return new AssertionError(text.toString(), cause);
  }
}
