package io.github.vfio4j.outcome;

import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.linux.Kernel;

/** The kernel that this process runs on, or the exception that says why it cannot be called. */
public final class RunningKernel {
  private RunningKernel() {}

  public static Kernel get() throws NotPermittedException {
    try {
      return Kernel.running();
    } catch (IllegalCallerException denied) {
      NotPermittedException failure =
          new NotPermittedException(
              "call", "the kernel", null, String.valueOf(denied.getMessage()));
      failure.initCause(denied);
      throw failure;
    }
  }
}
