package io.github.vfio4j.takeover;

import io.github.vfio4j.VfioException;
import java.util.Arrays;

/** What a process sends that hands over: refused, or understood as it is written. */
public final class RunningTextFuzz {
  private RunningTextFuzz() {}

  /** Takes an input for the text. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] written = write(input);
    if (written.length > 0 && !Arrays.equals(write(written), written)) {
      throw new AssertionError("it is read as something else than it was written as");
    }
  }

  private static byte[] write(byte[] input) {
    try {
      RunningText.Whole whole = RunningText.read(input, "fuzz");
      return RunningText.write(whole.running(), whole.memoryCount(), whole.state());
    } catch (VfioException e) {
      if (!String.valueOf(e.getMessage()).startsWith("take over on fuzz: ")) {
        throw new AssertionError(e);
      }
      return new byte[0];
    }
  }
}
