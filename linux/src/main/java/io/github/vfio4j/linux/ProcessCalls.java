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

  /**
   * Sets both limits of a resource to those of a {@code struct rlimit}, and gives what they were.
   *
   * @param former filled in, or {@link MemorySegment#NULL}
   */
  int setrlimit(int resource, MemorySegment limit, MemorySegment former);

  /**
   * Returns how many supplementary groups there are, and fills in their numbers.
   *
   * @param count how many there is room for; 0 only counts them
   */
  int getGroups(MemorySegment groups, int count);

  /** Sets the supplementary groups. */
  int setGroups(MemorySegment groups, int count);

  /** Fills in three integers: the real group, the effective and the saved one. */
  int getGroup(MemorySegment ids);

  /** Sets the group of three kinds, each of which stays as it is by -1. */
  int setGroup(int real, int effective, int saved);

  /** Fills in three integers, as {@link #getGroup}. */
  int getUser(MemorySegment ids);

  /** Sets the user of three kinds, as {@link #setGroup}. */
  int setUser(int real, int effective, int saved);

  /** Takes from this thread the capabilities that a program keeps that it becomes. */
  int clearAmbientCapabilities();

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
