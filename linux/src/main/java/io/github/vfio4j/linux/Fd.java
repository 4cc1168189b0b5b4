package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * An open file of this process.
 *
 * <p>The number is given back to the kernel exactly once, and never while a call is using it:
 * otherwise the call could land on whatever file took the number next. Closing therefore waits for
 * calls under way and turns new ones away.
 */
public final class Fd {
  private static final int CLOSED = 1 << 31;
  private static final int NONE = -1;

  private static final VarHandle USERS;

  static {
    try {
      USERS = MethodHandles.lookup().findVarHandle(Fd.class, "users", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Kernel kernel;
  private volatile Object object;

  /** Set once, before anybody else has this object. */
  private int number = NONE;

  /** Calls under way, with {@link #CLOSED} added from the moment of closing. */
  private volatile int users;

  private volatile @Nullable Thread closer;

  /**
   * Makes room for a file that is about to be opened, so that nothing is left to do, and to fail,
   * once the kernel has. Until {@link #take} it is of no file.
   *
   * @param object what messages call it, once it is open
   */
  public Fd(Kernel kernel, Object object) {
    this.kernel = kernel;
    this.object = object;
  }

  /**
   * Takes over what a call that opens a file answered, once.
   *
   * @return the same answer; a negated error number leaves this without a file
   */
  public int take(int answer) {
    if (answer >= 0) {
      number = answer;
    }
    return answer;
  }

  /** Has messages call it something else from now on: it was opened by one name, and is another. */
  public void rename(Object name) {
    object = name;
  }

  /** Returns the name used in messages. */
  public String object() {
    return object.toString();
  }

  /** Returns whether closing has begun. */
  public boolean isClosed() {
    return users < 0;
  }

  /**
   * Returns the number and holds the file open until {@link #release}.
   *
   * @throws IllegalStateException if it is closed
   */
  public int acquire() {
    if ((int) USERS.getAndAdd(this, 1) < 0) {
      release();
      throw new IllegalStateException(object + " is closed");
    }
    return number;
  }

  /** Returns whether a call is using it. */
  boolean isUsed() {
    return (users & ~CLOSED) != 0;
  }

  /** Ends one {@link #acquire}. */
  public void release() {
    if ((int) USERS.getAndAdd(this, -1) == CLOSED + 1) {
      LockSupport.unpark(closer);
    }
  }

  /** A call that takes the number of an open file. */
  @FunctionalInterface
  public interface Call {
    int with(int fd);
  }

  /**
   * Makes a call with the number, and holds the file open meanwhile.
   *
   * @throws IllegalStateException if it is closed
   */
  public int call(Call call) {
    int fd = acquire();
    try {
      return call.with(fd);
    } finally {
      release();
    }
  }

  /** Issues an ioctl and returns the kernel's answer. */
  public int ioctl(Ioctl operation, MemorySegment argument) {
    int fd = acquire();
    try {
      return kernel.ioctl(fd, operation.number(), argument);
    } finally {
      release();
    }
  }

  /** Issues an ioctl whose argument is a number and returns the kernel's answer. */
  public int ioctl(Ioctl operation, long argument) {
    int fd = acquire();
    try {
      return kernel.ioctl(fd, operation.number(), argument);
    } finally {
      release();
    }
  }

  /**
   * Closes the file, once; later calls do nothing.
   *
   * @return the kernel's answer, or 0 where it was closed before, or never open
   */
  public int close() {
    int before = (int) USERS.getAndBitwiseOr(this, CLOSED);
    if (before < 0) {
      return 0;
    }
    closer = Thread.currentThread();
    boolean interrupted = false;
    while (users != CLOSED) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return number == NONE ? 0 : kernel.close(number);
  }

  @Override
  public String toString() {
    return object();
  }
}
