package io.github.vfio4j;

import io.github.vfio4j.linux.ErrnoName;

/**
 * An error number of the Linux kernel.
 *
 * @param number the positive number, as {@code errno} holds it
 */
public record Errno(int number) {
  /** Operation not permitted. */
  public static final Errno EPERM = new Errno(1);

  /** No such file, object or entry. */
  public static final Errno ENOENT = new Errno(2);

  /** Interrupted by a signal. */
  public static final Errno EINTR = new Errno(4);

  /** Input/output error. */
  public static final Errno EIO = new Errno(5);

  /** No such device or address. */
  public static final Errno ENXIO = new Errno(6);

  /** Bad file descriptor. */
  public static final Errno EBADF = new Errno(9);

  /** Nothing there yet; try again. */
  public static final Errno EAGAIN = new Errno(11);

  /** Out of memory, or over the limit of locked memory. */
  public static final Errno ENOMEM = new Errno(12);

  /** Permission denied. */
  public static final Errno EACCES = new Errno(13);

  /** Bad address. */
  public static final Errno EFAULT = new Errno(14);

  /** Device or resource busy. */
  public static final Errno EBUSY = new Errno(16);

  /** Already exists. */
  public static final Errno EEXIST = new Errno(17);

  /** No such device. */
  public static final Errno ENODEV = new Errno(19);

  /** Invalid argument. */
  public static final Errno EINVAL = new Errno(22);

  /** Too many open files in this process. */
  public static final Errno EMFILE = new Errno(24);

  /** Not an ioctl of this file. */
  public static final Errno ENOTTY = new Errno(25);

  /** No space left. */
  public static final Errno ENOSPC = new Errno(28);

  /** Numerical result out of range. */
  public static final Errno ERANGE = new Errno(34);

  /** No message: nothing more for now. */
  public static final Errno ENOMSG = new Errno(42);

  /** Not implemented by this kernel. */
  public static final Errno ENOSYS = new Errno(38);

  /** Value too large. */
  public static final Errno EOVERFLOW = new Errno(75);

  /** Larger than the kernel understands. */
  public static final Errno E2BIG = new Errno(7);

  /** Message too long: the caller's room is too small. */
  public static final Errno EMSGSIZE = new Errno(90);

  /** Operation not supported. */
  public static final Errno EOPNOTSUPP = new Errno(95);

  /** Address already in use. */
  public static final Errno EADDRINUSE = new Errno(98);

  /** It did not answer in time. */
  public static final Errno ETIMEDOUT = new Errno(110);

  /** The memory behind a page is broken. */
  public static final Errno EHWPOISON = new Errno(133);

  /**
   * Returns the kernel's name of this number.
   *
   * @return for example {@code EBUSY}, or {@code errno 132} for a number without a name here
   */
  @Override
  public String toString() {
    return ErrnoName.of(number);
  }
}
