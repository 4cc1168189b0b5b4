package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.ProcessCalls;
import io.github.vfio4j.linux.SocketCalls;
import io.github.vfio4j.linux.ThreadCalls;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A kernel whose every call can be made to fail.
 *
 * <p>Files of VFIO are acted, each kind by a class of its own; descriptors, eventfds, epoll and
 * memory are the real kernel's.
 */
public final class FakeKernel extends Interference implements Kernel {
  /** The memory that takes the place of closed mappings, of any kernel that a test makes. */
  private static final String OF_PROCESS = "closed device mapping";

  private record Node(DeviceNumber number, Supplier<FakeFile> file) {}

  private final Kernel real;
  private final OpenFiles files;
  private final DeviceMappings deviceMappings;
  private final FakeAdvice advice;
  private final Map<String, Node> nodes = new HashMap<>();

  FakeKernel(Kernel real, OpenFiles files, DeviceMappings deviceMappings) {
    this.real = real;
    this.files = files;
    this.deviceMappings = deviceMappings;
    this.advice = new FakeAdvice(real);
  }

  /** Returns what this kernel was told of pages. */
  public FakeAdvice advice() {
    return advice;
  }

  /** Makes a device node, and a file each time that it is opened. */
  void node(String path, DeviceNumber number, Supplier<FakeFile> file) {
    nodes.put(path, new Node(number, file));
  }

  /** Returns what a test must not leave behind, in words. */
  public synchronized List<String> leftOpen() {
    List<String> left = files.left();
    left.addAll(deviceMappings.left());
    return left;
  }

  /** Returns whether an iommufd has an object of this number. */
  public synchronized boolean has(int id) {
    return iommufds().stream().anyMatch(iommufd -> iommufd.objects().get(id) != null);
  }

  /** Destroys an object behind the library's back. */
  public synchronized void lose(int id) {
    iommufds().forEach(iommufd -> iommufd.objects().lose(id));
  }

  private List<FakeIommufd> iommufds() {
    return files.ofKind(FakeIommufd.class);
  }

  /** Takes the device from its driver, with which open files of its group lose their use. */
  public synchronized void unbind() {
    files.ofKind(FakeGroup.class).forEach(FakeGroup::lose);
  }

  /** Lets the next reader of the queue with the highest descriptor get these bytes. */
  public void queue(byte... bytes) {
    lastQueue().put(bytes);
  }

  /** Has that queue answer 0 to buffers that are too small, as kernels before 7.3 do. */
  public void answerNothingToSmallBuffers() {
    lastQueue().answerNothingToSmallBuffers();
  }

  /** Returns how often that queue was read from. */
  public int queueReads() {
    return lastQueue().reads();
  }

  private FakeQueue lastQueue() {
    return files.ofKind(FakeQueue.class).getLast();
  }

  /**
   * Leaves alone what else this process has open, whatever descriptors hostile replies name, and
   * waits for none of them for ever.
   */
  public void confine() {
    files.confine();
  }

  /** Closes what the caller has left open. */
  public synchronized void closeAll() {
    files.closeAll();
  }

  @Override
  public int pageSize() {
    return real.pageSize();
  }

  @Override
  public int open(String path, int flags) {
    return attemptFile(
        () -> {
          Node node = nodes.get(path);
          return node == null
              ? -Errno.ENOENT.number()
              : files.open(node.file.get(), path, node.number);
        });
  }

  @Override
  public synchronized int close(int fd) {
    return closed(files.close(fd));
  }

  @Override
  public int duplicate(int fd) {
    return attemptFile(() -> files.duplicate(fd));
  }

  @Override
  public synchronized int ioctl(int fd, int request, MemorySegment argument) {
    return attempt(
        () -> {
          FakeFile file = files.get(fd);
          Ioctl operation = file.operation(request);
          return issue(
              operation,
              () -> {
                int answer = file.ioctl(operation, argument);
                if (answer >= 0) {
                  rewrite(operation, argument);
                }
                return answer;
              });
        });
  }

  @Override
  public synchronized int ioctl(int fd, int request, long argument) {
    return attempt(
        () -> {
          FakeFile file = files.get(fd);
          Ioctl operation = file.operation(request);
          return issue(operation, () -> file.ioctl(operation, argument));
        });
  }

  @Override
  public long read(int fd, MemorySegment buffer) {
    return attemptRead(fd, () -> files.get(fd).read(fd, buffer));
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    return files.get(fd).write(fd, buffer);
  }

  @Override
  public long pread(int fd, MemorySegment buffer, long offset) {
    return attemptLong(() -> files.get(fd).pread(buffer, offset));
  }

  @Override
  public long pwrite(int fd, MemorySegment buffer, long offset) {
    return attemptLong(() -> files.get(fd).pwrite(buffer, offset));
  }

  @Override
  public long mmap(long address, long length, int protection, int flags, int fd, long offset) {
    return attemptLong(
        () ->
            files.has(fd)
                ? files.get(fd).mmap(fd, address, length, protection, flags, offset)
                : deviceMappings.mapMemory(address, length, protection, flags, fd, offset));
  }

  @Override
  public int munmap(long address, long length) {
    return deviceMappings.unmap(address, length);
  }

  @Override
  public int madvise(long address, long length, int number) {
    return attempt(() -> advice.give(address, length, number));
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return attemptFile(
        () -> {
          int fd = real.memfdCreate(name, flags);
          return name.equals(OF_PROCESS) ? fd : opened(fd, "memfd");
        });
  }

  private int opened(int fd, String name) {
    return files.add(fd, new RealFile(real, deviceMappings), name);
  }

  @Override
  public int ftruncate(int fd, long size) {
    return attempt(() -> real.ftruncate(fd, size));
  }

  @Override
  public int addSeals(int fd, int seals) {
    return attempt(() -> real.addSeals(fd, seals));
  }

  @Override
  public int getSeals(int fd) {
    return attempt(() -> real.getSeals(fd));
  }

  @Override
  public int eventfd(int initial, int flags) {
    return attemptFile(() -> opened(real.eventfd(initial, flags), "eventfd"));
  }

  @Override
  public int epollCreate(int flags) {
    return attemptFile(() -> opened(real.epollCreate(flags), "epoll"));
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    return attempt(() -> real.epollControl(epoll, operation, fd, event));
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis) {
    return waited(real.epollWait(epoll, events, capacity, timeoutMillis));
  }

  @Override
  public int poll(MemorySegment fds, int count, MemorySegment timeout) {
    int ready = real.poll(fds, count, timeout);
    boolean waited = timeout.get(JAVA_LONG, 0) != 0 || timeout.get(JAVA_LONG, Long.BYTES) != 0;
    return ready == 0 && waited && files.isConfined() ? -Errno.EIO.number() : ready;
  }

  @Override
  public int statx(int fd, MemorySegment buffer) {
    return attempt(() -> status(fd, buffer));
  }

  private int status(int fd, MemorySegment buffer) {
    DeviceNumber number = files.number(fd);
    if (number == null) {
      return real.statx(fd, buffer);
    }
    buffer.set(JAVA_SHORT, 28, (short) 0x2000);
    buffer.set(JAVA_INT, 128, number.major());
    buffer.set(JAVA_INT, 132, number.minor());
    return 0;
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    return real.getrlimit(resource, limit);
  }

  @Override
  public SocketCalls sockets() {
    return real.sockets();
  }

  @Override
  public ProcessCalls process() {
    return real.process();
  }

  @Override
  public ThreadCalls threads() {
    return real.threads();
  }

  @Override
  public int enter(int processor) {
    return real.enter(processor);
  }
}
