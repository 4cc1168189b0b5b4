package io.github.vfio4j.cli.host;

import io.github.vfio4j.VfioException;

/** A signal that came in the middle of a sequence of changes. */
public final class Interruption {

  private Interruption() {}

  /** Ends the sequence here, where it can be undone. */
  public static void check(String operation, String object) throws VfioException {
    if (Thread.currentThread().isInterrupted()) {
      throw new VfioException(operation, object, null, "it was interrupted");
    }
  }
}
