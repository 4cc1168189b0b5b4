package io.github.vfio4j.cli.host;

import io.github.vfio4j.VfioException;
import org.jspecify.annotations.Nullable;

/** What failed with some of several devices: all of it is told, and the first gives the status. */
public final class Failures {

  private @Nullable VfioException first;

  public void add(VfioException failure) {
    if (first == null) {
      first = failure;
    } else {
      first.addSuppressed(failure);
    }
  }

  public boolean isEmpty() {
    return first == null;
  }

  public void rethrow() throws VfioException {
    if (first != null) {
      throw first;
    }
  }
}
