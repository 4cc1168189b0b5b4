package io.github.vfio4j.linux;

/**
 * The system calls by which one thread takes another one out of a system call; they answer as those
 * of {@link Kernel} do.
 */
public interface ThreadCalls {
  /** Returns the kernel's number of the calling thread. */
  int self();

  /**
   * Has a signal do nothing from now on but end the system call that a thread is in, with EINTR.
   *
   * @return 0, or a negated error number: EBUSY says that somebody else handles the signal
   */
  int letInterrupt(int signal);

  /** Sends a signal to one thread of this process. */
  int interrupt(int thread, int signal);
}
