package io.github.vfio4j.linux;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The choice between the plain system calls and those that are written down. */
final class KernelChoice {
  /** The system property that names the file of the trace. */
  static final String TRACE = "io.github.vfio4j.trace";

  static final Kernel INSTANCE = choose(System.getProperty(TRACE));

  private KernelChoice() {}

  static Kernel choose(@Nullable String trace) {
    return trace == null
        ? LinuxKernel.INSTANCE
        : new TracingKernel(LinuxKernel.INSTANCE, TraceFile.append(Path.of(trace)));
  }
}
