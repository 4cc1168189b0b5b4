package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Writes down every ioctl, and what is read from and written to the queues of an iommufd, which are
 * messages too. A line has five fields:
 *
 * <pre>REQUEST ANSWER ARGUMENT REPLY FILE</pre>
 *
 * <p>The request is the ioctl's number, {@code read} or {@code write}; the answer is the kernel's,
 * a negated error number if below zero. The argument is the structure that was passed, in
 * hexadecimal and as long as it says itself, or {@code int:} and a number; the reply is the same
 * structure afterwards, or {@code =} where it has not changed. {@code -} stands for nothing. The
 * file is the name that {@code /proc} has for it.
 */
final class TracingKernel implements Kernel {
  private static final String NOTHING = "-";
  private static final String UNCHANGED = "=";
  private static final String QUEUE = "anon_inode:[iommufd";
  private static final int SMALLEST_STRUCTURE = 8;
  private static final HexFormat HEX = HexFormat.of();

  private final Kernel kernel;
  private final TraceFile trace;

  TracingKernel(Kernel kernel, TraceFile trace) {
    this.kernel = kernel;
    this.trace = trace;
  }

  private void line(String request, long answer, String argument, String reply, String file) {
    trace.add(request + " " + answer + " " + argument + " " + reply + " " + file);
  }

  private static String number(int request) {
    return "0x" + Integer.toHexString(request);
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

  private static String hex(byte[] bytes) {
    return bytes.length == 0 ? NOTHING : HEX.formatHex(bytes);
  }

  @Override
  public int ioctl(int fd, int request, MemorySegment argument) {
    String file = name(fd);
    byte[] before = bytes(argument);
    int answer = kernel.ioctl(fd, request, argument);
    byte[] after = argument.asSlice(0, before.length).toArray(JAVA_BYTE);
    String reply = Arrays.equals(before, after) ? UNCHANGED : hex(after);
    line(number(request), answer, hex(before), reply, file);
    return answer;
  }

  @Override
  public int ioctl(int fd, int request, long argument) {
    String file = name(fd);
    int answer = kernel.ioctl(fd, request, argument);
    line(number(request), answer, "int:" + argument, NOTHING, file);
    return answer;
  }

  @Override
  public long read(int fd, MemorySegment buffer) {
    String file = name(fd);
    long answer = kernel.read(fd, buffer);
    if (file.startsWith(QUEUE) && answer > 0) {
      byte[] read = buffer.asSlice(0, answer).toArray(JAVA_BYTE);
      line("read", answer, NOTHING, hex(read), file);
    }
    return answer;
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    String file = name(fd);
    long answer = kernel.write(fd, buffer);
    if (file.startsWith(QUEUE)) {
      line("write", answer, hex(buffer.toArray(JAVA_BYTE)), NOTHING, file);
    }
    return answer;
  }

  @Override
  public int pageSize() {
    return kernel.pageSize();
  }

  @Override
  public int open(String path, int flags) {
    return kernel.open(path, flags);
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
}
