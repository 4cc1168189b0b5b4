package io.github.vfio4j.linux;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The choice between the plain system calls and those that are written down. */
final class KernelChoice {
  /** The system property that names the file of the trace. */
  static final String TRACE = "io.github.vfio4j.trace";

  /** The system property that names the file of the trace for people, or {@code stderr}. */
  static final String CALLS = "io.github.vfio4j.calls";

  static final Kernel INSTANCE = choose(System.getProperty(TRACE), System.getProperty(CALLS));

  private KernelChoice() {}

  /** The readable trace is nearest to the kernel, for it tells how long calls take. */
  static Kernel choose(@Nullable String trace, @Nullable String calls) {
    Kernel kernel = LinuxKernel.INSTANCE;
    if (calls != null) {
      kernel = new TracingKernel(kernel, new ReadableTrace(TraceFile.of(calls)));
    }
    if (trace != null) {
      kernel = new TracingKernel(kernel, new RawTrace(TraceFile.append(Path.of(trace))));
    }
    return kernel;
  }
}
