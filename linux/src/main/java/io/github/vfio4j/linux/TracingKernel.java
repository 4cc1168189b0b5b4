package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** Has a trace told of each call that passes a message: ioctls, and files opened, read, written. */
final class TracingKernel implements Kernel {
  private static final int SMALLEST_STRUCTURE = 8;

  private final Kernel kernel;
  private final CallTrace trace;

  TracingKernel(Kernel kernel, CallTrace trace) {
    this.kernel = kernel;
    this.trace = trace;
  }

  private static String name(int fd) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException e) {
      return "?"; // the ioctl will say that there is no such file
    }
  }

  private static byte[] bytes(MemorySegment argument) {
    long size = argument.byteSize();
    if (size >= SMALLEST_STRUCTURE) {
      long own = Integer.toUnsignedLong(argument.get(JAVA_INT_UNALIGNED, 0));
      if (own >= SMALLEST_STRUCTURE && own < size) {
        size = own;
      }
    }
    return argument.asSlice(0, size).toArray(JAVA_BYTE);
  }

  @Override
  public int ioctl(int fd, int request, MemorySegment argument) {
    String file = name(fd);
    byte[] passed = bytes(argument);
    long start = System.nanoTime();
    int answer = kernel.ioctl(fd, request, argument);
    long nanos = System.nanoTime() - start;
    byte[] left = argument.asSlice(0, passed.length).toArray(JAVA_BYTE);
    trace.ioctl(request, passed, left, file, answer, nanos);
    return answer;
  }

  @Override
  public int ioctl(int fd, int request, long argument) {
    String file = name(fd);
    long start = System.nanoTime();
    int answer = kernel.ioctl(fd, request, argument);
    trace.ioctl(request, argument, file, answer, System.nanoTime() - start);
    return answer;
  }

  @Override
  public long read(int fd, MemorySegment buffer) {
    String file = name(fd);
    long start = System.nanoTime();
    long answer = kernel.read(fd, buffer);
    long nanos = System.nanoTime() - start;
    trace.read(buffer.asSlice(0, Math.max(0, answer)).toArray(JAVA_BYTE), file, answer, nanos);
    return answer;
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    String file = name(fd);
    long start = System.nanoTime();
    long answer = kernel.write(fd, buffer);
    long nanos = System.nanoTime() - start;
    trace.write(buffer.toArray(JAVA_BYTE), file, answer, nanos);
    return answer;
  }

  @Override
  public int pageSize() {
    return kernel.pageSize();
  }

  @Override
  public int open(String path, int flags) {
    long start = System.nanoTime();
    int answer = kernel.open(path, flags);
    trace.open(path, answer, System.nanoTime() - start);
    return answer;
  }

  @Override
  public int close(int fd) {
    return kernel.close(fd);
  }

  @Override
  public int duplicate(int fd) {
    return kernel.duplicate(fd);
  }

  @Override
  public long pread(int fd, MemorySegment buffer, long offset) {
    return kernel.pread(fd, buffer, offset);
  }

  @Override
  public long pwrite(int fd, MemorySegment buffer, long offset) {
    return kernel.pwrite(fd, buffer, offset);
  }

  @Override
  public long mmap(long address, long length, int protection, int flags, int fd, long offset) {
    return kernel.mmap(address, length, protection, flags, fd, offset);
  }

  @Override
  public int munmap(long address, long length) {
    return kernel.munmap(address, length);
  }

  @Override
  public int madvise(long address, long length, int advice) {
    return kernel.madvise(address, length, advice);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return kernel.memfdCreate(name, flags);
  }

  @Override
  public int ftruncate(int fd, long size) {
    return kernel.ftruncate(fd, size);
  }

  @Override
  public int addSeals(int fd, int seals) {
    return kernel.addSeals(fd, seals);
  }

  @Override
  public int getSeals(int fd) {
    return kernel.getSeals(fd);
  }

  @Override
  public int eventfd(int initial, int flags) {
    return kernel.eventfd(initial, flags);
  }

  @Override
  public int epollCreate(int flags) {
    return kernel.epollCreate(flags);
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    return kernel.epollControl(epoll, operation, fd, event);
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis) {
    return kernel.epollWait(epoll, events, capacity, timeoutMillis);
  }

  @Override
  public int poll(MemorySegment fds, int count, MemorySegment timeout) {
    return kernel.poll(fds, count, timeout);
  }

  @Override
  public int statx(int fd, MemorySegment buffer) {
    return kernel.statx(fd, buffer);
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    return kernel.getrlimit(resource, limit);
  }

  @Override
  public SocketCalls sockets() {
    return kernel.sockets();
  }

  @Override
  public ProcessCalls process() {
    return kernel.process();
  }

  @Override
  public ThreadCalls threads() {
    return kernel.threads();
  }

  @Override
  public int enter(int processor) {
    return kernel.enter(processor);
  }
}
