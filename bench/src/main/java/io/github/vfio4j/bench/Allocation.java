package io.github.vfio4j.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** How many bytes threads have allocated on the Java heap. */
final class Allocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocation() {}

  static long byThisThread() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  static long by(Thread thread) {
    return THREADS.getThreadAllocatedBytes(thread.threadId());
  }
}
