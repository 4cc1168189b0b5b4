package io.github.vfio4j.event;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;

/** Starts dispatchers on a kernel of a test's own. */
public final class DispatcherOnKernel {
  private DispatcherOnKernel() {}

  public static EventDispatcher start(Kernel kernel) throws VfioException {
    return EventDispatcher.start(kernel);
  }
}
