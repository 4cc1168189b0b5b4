package io.github.vfio4j.mapping;

/** Counts what a thread takes from the Java heap. */
public final class AllocatedMemory {

  private AllocatedMemory() {}

  /**
   * The bytes that this thread has allocated so far, the few of this call included. By reflection,
   * as the module under test does not read the one that counts.
   */
  public static long ofThisThread() throws ReflectiveOperationException {
    Object threads =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    return (long)
        Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getCurrentThreadAllocatedBytes")
            .invoke(threads);
  }
}
