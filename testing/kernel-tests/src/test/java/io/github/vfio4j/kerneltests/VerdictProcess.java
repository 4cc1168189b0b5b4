package io.github.vfio4j.kerneltests;

import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;

/**
 * Judges the edu and opens it, prints what was said and done, and does it again whenever it gets a
 * line of input: what is around it has changed then.
 */
final class VerdictProcess {
  private VerdictProcess() {}

  public static void main(String[] arguments) throws IOException {
    do {
      System.out.println(Verdict.of(Sysfs.host().device(Machine.EDU)).line());
    } while (System.in.read() >= 0);
  }
}
