package io.github.vfio4j.cli.demo;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.Interruption;
import java.io.PrintWriter;
import java.util.function.Function;

/** Tells of each step that is done, and how long it took. */
public final class Narrator {

  private final PrintWriter out;

  Narrator(PrintWriter out) {
    this.out = out;
  }

  @FunctionalInterface
  interface Step {
    void run() throws VfioException;
  }

  @FunctionalInterface
  interface StepWithResult<T> {
    T run() throws VfioException;
  }

  void say(String line) {
    out.println(line);
    out.flush();
  }

  void heading(String line) {
    say("");
    say(line);
  }

  void step(Step step, String told) throws VfioException {
    Interruption.check("go on with", "the demonstration");
    long start = System.nanoTime();
    step.run();
    tell(start, told);
  }

  <T> T step(StepWithResult<T> step, Function<T, String> told) throws VfioException {
    Interruption.check("go on with", "the demonstration");
    long start = System.nanoTime();
    T result = step.run();
    tell(start, told.apply(result));
    return result;
  }

  private void tell(long start, String told) {
    say("%9.1f ms  %s".formatted((System.nanoTime() - start) / 1e6, told));
  }
}
