package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;

/**
 * The system calls that change this process itself, for who is about to become another program;
 * they answer as those of {@link Kernel} do. The C library changes a user or a group in all
 * threads.
 */
public interface ProcessCalls {
  /** Has a file inherited by the program that this process becomes, or closed before. */
  int setCloseOnExec(int fd, boolean closed);

  /** Sets both limits of a resource to those of a {@code struct rlimit}. */
  int setrlimit(int resource, MemorySegment limit);

  /** Sets the supplementary groups. */
  int setGroups(MemorySegment groups, int count);

  int setGroup(int group);

  int setUser(int user);

  /** Lets this thread, and the program that it becomes, receive all signals. */
  int unblockSignals();

  /**
   * Sets what a signal does to a {@code struct sigaction}, and gives what it did.
   *
   * @param action all zeroes for what it does by default
   * @param former filled in, or {@link MemorySegment#NULL}
   */
  int setSignalAction(int signal, MemorySegment action, MemorySegment former);

  /**
   * Becomes a program, which is looked for in the PATH; answers only if that failed.
   *
   * @param arguments the addresses of its arguments, the first of which is its name, and a null
   */
  int execute(MemorySegment file, MemorySegment arguments);
}
