package io.github.vfio4j.linux;

/**
 * What is told of the calls to the kernel, each when it is over. Answers are as in {@link Kernel}.
 */
interface CallTrace {

  /** Tells of an opened file. */
  void open(String path, int answer, long nanos);

  /** Tells of an ioctl on a structure, of which there are the bytes before and after. */
  void ioctl(int request, byte[] passed, byte[] left, String file, int answer, long nanos);

  /** Tells of an ioctl with a number. */
  void ioctl(int request, long argument, String file, int answer, long nanos);

  /** Tells what was read; nothing, where that failed. */
  void read(byte[] read, String file, long answer, long nanos);

  /** Tells what was to be written. */
  void write(byte[] written, String file, long answer, long nanos);
}
