package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_fault_alloc;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_iova_range;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_group_status;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.bindings.vfio_irq_set;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A kernel with one VFIO device, whose every call can be made to fail.
 *
 * <p>Files of VFIO are acted; descriptors, eventfds, epoll and memory are the real kernel's.
 */
public final class FakeKernel implements Kernel {
  public static final int REGION_SIZE = 8192;
  public static final int VECTORS = 4;
  public static final int REGIONS = vfio_h.VFIO_PCI_NUM_REGIONS;

  private static final int MAP_FIXED = 0x10;
  private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);
  private static final int EFD_CLOEXEC_NONBLOCK = 0x80800;

  private enum Kind {
    IOMMUFD,
    CONTAINER,
    GROUP,
    DEVICE
  }

  /** Rewrites a reply of the kernel before the library sees it. */
  public interface Tampering {
    void rewrite(Ioctl operation, MemorySegment reply);
  }

  private final Kernel real = Kernel.running();
  private final Map<String, Kind> nodes = new HashMap<>();
  private final Map<String, DeviceNumber> numbers = new HashMap<>();
  private final Map<Integer, Kind> files = new HashMap<>();
  private final Map<Integer, String> paths = new HashMap<>();
  private final Set<Integer> descriptors = new HashSet<>();
  private final TreeMap<Long, Long> mapped = new TreeMap<>();
  private final Set<Long> deviceMappings = new HashSet<>();

  /** Objects of the iommufd, each with those that it keeps in use. */
  private final TreeMap<Integer, Set<Integer>> objects = new TreeMap<>();

  private final Map<Integer, Integer> filesOfObjects = new HashMap<>();

  /** What each open device is attached to. */
  private final Map<Integer, Integer> attached = new HashMap<>();

  /** What readers of a queue's file get, piece by piece. */
  private final Map<Integer, Deque<byte[]>> queued = new HashMap<>();

  private final List<String> log = new ArrayList<>();
  private final AtomicInteger calls = new AtomicInteger();
  private int nextId = 1;
  private long lastIova = (1L << 48) - 1;
  private int failingCall = -1;
  private int failure;
  private @Nullable Ioctl failingIoctl;
  private @Nullable Tampering tampering;
  private int failingClose;

  public FakeKernel() {
    nodes.put("/dev/iommu", Kind.IOMMUFD);
    nodes.put("/dev/vfio/vfio", Kind.CONTAINER);
  }

  public FakeKernel group(String node, DeviceNumber number) {
    nodes.put(node, Kind.GROUP);
    numbers.put(node, number);
    return this;
  }

  public FakeKernel device(String node, DeviceNumber number) {
    nodes.put(node, Kind.DEVICE);
    numbers.put(node, number);
    return this;
  }

  public FakeKernel without(String node) {
    nodes.remove(node);
    return this;
  }

  /** Makes the n-th call from now that can fail answer with an error, counted from 1. */
  public FakeKernel failCall(int n, Errno errno) {
    failingCall = n;
    failure = -errno.number();
    calls.set(0);
    return this;
  }

  /** Makes every ioctl of a kind answer with an error. */
  public FakeKernel fail(Ioctl operation, Errno errno) {
    failingIoctl = operation;
    failure = -errno.number();
    return this;
  }

  /** Makes every closing of a file report an error, after it was closed. */
  public FakeKernel failClosing(Errno errno) {
    failingClose = -errno.number();
    return this;
  }

  /** Changes what an IOAS can map, as the attaching and detaching of devices does. */
  public FakeKernel addressBits(int bits) {
    lastIova = (1L << bits) - 1;
    return this;
  }

  public FakeKernel tamper(Tampering how) {
    tampering = how;
    return this;
  }

  /** Whether the call of {@link #failCall} was reached. */
  public boolean hasFailed() {
    return calls.get() >= failingCall;
  }

  /** Which ioctls were issued, in order. */
  public List<String> log() {
    return log;
  }

  /** What a test must not leave behind, in words. */
  public List<String> leftOpen() {
    List<String> left = new ArrayList<>();
    descriptors.forEach(fd -> left.add("fd " + fd + " of " + paths.get(fd)));
    mapped.forEach((iova, size) -> left.add("mapping of 0x%x bytes at 0x%x".formatted(size, iova)));
    deviceMappings.forEach(address -> left.add("device mapping at 0x%x".formatted(address)));
    objects.keySet().forEach(id -> left.add("object " + id));
    return left;
  }

  /** Whether there is an object of this number. */
  public boolean has(int id) {
    return objects.containsKey(id);
  }

  /** Destroys an object behind the library's back. */
  public void lose(int id) {
    objects.remove(id);
  }

  /** Lets the next reader of the queue that was made last get these bytes. */
  public FakeKernel queue(byte... bytes) {
    int fd = Collections.max(queued.keySet());
    Objects.requireNonNull(queued.get(fd)).add(bytes);
    real.write(fd, ONE);
    return this;
  }

  /** Has an enabled vector fire. */
  public void raise(Interrupt interrupt) {
    ((EventChannel.Source<?>) interrupt).channel().file().call(fd -> (int) real.write(fd, ONE));
  }

  private int failureOfThisCall() {
    return calls.incrementAndGet() == failingCall ? failure : 0;
  }

  private synchronized int opened(int fd, @Nullable Kind kind, String path) {
    if (fd >= 0) {
      descriptors.add(fd);
      paths.put(fd, path);
      if (kind != null) {
        files.put(fd, kind);
      }
    }
    return fd;
  }

  @Override
  public int pageSize() {
    return real.pageSize();
  }

  @Override
  public int open(String path, int flags) {
    int failed = failureOfThisCall();
    if (failed < 0) {
      return failed;
    }
    Kind kind = nodes.get(path);
    return kind == null
        ? -Errno.ENOENT.number()
        : opened(real.open("/dev/null", flags), kind, path);
  }

  @Override
  public synchronized int close(int fd) {
    if (files.get(fd) == Kind.IOMMUFD) {
      objects.keySet().removeIf(id -> Objects.equals(filesOfObjects.get(id), fd));
      mapped.clear();
    } else if (files.get(fd) == Kind.CONTAINER) {
      mapped.clear();
    }
    descriptors.remove(fd);
    files.remove(fd);
    attached.remove(fd);
    queued.remove(fd);
    int answer = real.close(fd);
    return failingClose < 0 ? failingClose : answer;
  }

  @Override
  public int duplicate(int fd) {
    int failed = failureOfThisCall();
    return failed < 0
        ? failed
        : opened(real.duplicate(fd), files.get(fd), String.valueOf(paths.get(fd)));
  }

  @Override
  public synchronized int ioctl(int fd, int request, MemorySegment argument) {
    int failed = failureOfThisCall();
    if (failed < 0) {
      return failed;
    }
    Kind kind = files.get(fd);
    Ioctl operation = kind == null ? null : operation(kind, request);
    if (operation == null) {
      return -Errno.ENOTTY.number();
    }
    log.add(operation.name());
    if (operation == failingIoctl) {
      return failure;
    }
    int answer = act(fd, operation, argument);
    if (answer >= 0 && tampering != null) {
      tampering.rewrite(operation, argument);
    }
    return answer;
  }

  private static @Nullable Ioctl operation(Kind kind, int request) {
    String prefix =
        switch (kind) {
          case IOMMUFD -> "IOMMU_";
          case CONTAINER -> "VFIO_IOMMU_";
          case GROUP -> "VFIO_GROUP_";
          case DEVICE -> "VFIO_DEVICE_";
        };
    for (Ioctl operation : Ioctl.values()) {
      if (operation.number() == request && operation.name().startsWith(prefix)) {
        return operation;
      }
    }
    return null;
  }

  private int act(int fd, Ioctl operation, MemorySegment argument) {
    return switch (operation) {
      case VFIO_GROUP_GET_STATUS -> {
        vfio_group_status.flags(argument, vfio_h.VFIO_GROUP_FLAGS_VIABLE);
        yield 0;
      }
      case VFIO_GROUP_SET_CONTAINER -> 0;
      case VFIO_GROUP_GET_DEVICE_FD -> opened(real.open("/dev/null", 0), Kind.DEVICE, "device");
      case VFIO_IOMMU_GET_INFO -> {
        vfio_iommu_type1_info.flags(argument, vfio_h.VFIO_IOMMU_INFO_PGSIZES);
        vfio_iommu_type1_info.iova_pgsizes(argument, 0x40201000L);
        yield 0;
      }
      case VFIO_IOMMU_MAP_DMA ->
          map(vfio_iommu_type1_dma_map.iova(argument), vfio_iommu_type1_dma_map.size(argument));
      case VFIO_IOMMU_UNMAP_DMA ->
          unmap(
              vfio_iommu_type1_dma_unmap.iova(argument), vfio_iommu_type1_dma_unmap.size(argument));
      case IOMMU_IOAS_ALLOC -> {
        iommu_ioas_alloc.out_ioas_id(argument, made(fd));
        yield 0;
      }
      case IOMMU_HWPT_ALLOC -> {
        iommu_hwpt_alloc.out_hwpt_id(
            argument,
            argument.byteSize() > iommu_hwpt_alloc.fault_id$OFFSET
                    && iommu_hwpt_alloc.fault_id(argument) != 0
                ? made(fd, iommu_hwpt_alloc.pt_id(argument), iommu_hwpt_alloc.fault_id(argument))
                : made(fd, iommu_hwpt_alloc.pt_id(argument)));
        yield 0;
      }
      case IOMMU_FAULT_QUEUE_ALLOC -> {
        iommu_fault_alloc.out_fault_id(argument, made(fd));
        iommu_fault_alloc.out_fault_fd(argument, queueFile());
        yield 0;
      }
      case IOMMU_VIOMMU_ALLOC -> {
        iommu_viommu_alloc.out_viommu_id(argument, made(fd, iommu_viommu_alloc.hwpt_id(argument)));
        yield 0;
      }
      case IOMMU_VDEVICE_ALLOC -> {
        iommu_vdevice_alloc.out_vdevice_id(
            argument, made(fd, iommu_vdevice_alloc.viommu_id(argument)));
        yield 0;
      }
      case IOMMU_VEVENTQ_ALLOC -> {
        iommu_veventq_alloc.out_veventq_id(
            argument, made(fd, iommu_veventq_alloc.viommu_id(argument)));
        iommu_veventq_alloc.out_veventq_fd(argument, queueFile());
        yield 0;
      }
      case IOMMU_HW_QUEUE_ALLOC -> {
        iommu_hw_queue_alloc.out_hw_queue_id(
            argument, made(fd, iommu_hw_queue_alloc.viommu_id(argument)));
        yield 0;
      }
      case IOMMU_GET_HW_INFO -> {
        iommu_hw_info.data_len(argument, 0);
        yield 0;
      }
      case IOMMU_HWPT_INVALIDATE,
          IOMMU_HWPT_SET_DIRTY_TRACKING,
          IOMMU_HWPT_GET_DIRTY_BITMAP,
          IOMMU_OPTION,
          IOMMU_IOAS_ALLOW_IOVAS,
          IOMMU_IOAS_NOIOMMU_GET_PA ->
          0;
      case IOMMU_IOAS_MAP_FILE ->
          map(iommu_ioas_map_file.iova(argument), iommu_ioas_map_file.length(argument));
      case IOMMU_IOAS_COPY ->
          map(iommu_ioas_copy.dst_iova(argument), iommu_ioas_copy.length(argument));
      case IOMMU_DESTROY -> destroy(iommu_destroy.id(argument));
      case IOMMU_IOAS_IOVA_RANGES -> {
        iommu_ioas_iova_ranges.out_iova_alignment(argument, 1);
        iommu_ioas_iova_ranges.num_iovas(argument, 1);
        MemorySegment range = rangeAt(iommu_ioas_iova_ranges.allowed_iovas(argument));
        iommu_iova_range.start(range, 0);
        iommu_iova_range.last(range, lastIova);
        yield 0;
      }
      case IOMMU_IOAS_MAP -> map(iommu_ioas_map.iova(argument), iommu_ioas_map.length(argument));
      case IOMMU_IOAS_UNMAP ->
          unmap(iommu_ioas_unmap.iova(argument), iommu_ioas_unmap.length(argument));
      case VFIO_DEVICE_BIND_IOMMUFD -> {
        vfio_device_bind_iommufd.out_devid(argument, nextId++);
        yield 0;
      }
      case VFIO_DEVICE_ATTACH_IOMMUFD_PT -> {
        int table = vfio_device_attach_iommufd_pt.pt_id(argument);
        if (!objects.containsKey(table)) {
          yield -Errno.ENOENT.number();
        }
        attached.put(fd, table);
        yield 0;
      }
      case VFIO_DEVICE_DETACH_IOMMUFD_PT -> {
        attached.remove(fd);
        yield 0;
      }
      case VFIO_DEVICE_GET_INFO -> {
        vfio_device_info.flags(argument, vfio_h.VFIO_DEVICE_FLAGS_PCI);
        vfio_device_info.num_regions(argument, REGIONS);
        vfio_device_info.num_irqs(argument, vfio_h.VFIO_PCI_NUM_IRQS);
        yield 0;
      }
      case VFIO_DEVICE_GET_REGION_INFO -> {
        vfio_region_info.flags(
            argument,
            vfio_h.VFIO_REGION_INFO_FLAG_READ
                | vfio_h.VFIO_REGION_INFO_FLAG_WRITE
                | vfio_h.VFIO_REGION_INFO_FLAG_MMAP);
        vfio_region_info.size(argument, REGION_SIZE);
        vfio_region_info.offset(argument, (long) vfio_region_info.index(argument) << 40);
        yield 0;
      }
      case VFIO_DEVICE_GET_IRQ_INFO -> {
        vfio_irq_info.flags(argument, vfio_h.VFIO_IRQ_INFO_EVENTFD | vfio_h.VFIO_IRQ_INFO_NORESIZE);
        vfio_irq_info.count(argument, VECTORS);
        yield 0;
      }
      case VFIO_DEVICE_SET_IRQS -> setIrqs(argument);
      case VFIO_DEVICE_RESET -> 0;
      default -> -Errno.ENOTTY.number();
    };
  }

  private int made(int fd, Integer... uses) {
    filesOfObjects.put(nextId, fd);
    objects.put(nextId, Set.of(uses));
    return nextId++;
  }

  private int destroy(int id) {
    if (!objects.containsKey(id)) {
      return -Errno.ENOENT.number();
    }
    if (attached.containsValue(id)
        || objects.values().stream().anyMatch(used -> used.contains(id))) {
      return -Errno.EBUSY.number();
    }
    objects.remove(id);
    return 0;
  }

  private int queueFile() {
    int fd = opened(real.eventfd(0, EFD_CLOEXEC_NONBLOCK), null, "queue");
    queued.put(fd, new ArrayDeque<>());
    return fd;
  }

  private int setIrqs(MemorySegment request) {
    int count = vfio_irq_set.count(request);
    boolean data = (vfio_irq_set.flags(request) & vfio_h.VFIO_IRQ_SET_DATA_EVENTFD) != 0;
    long size = vfio_irq_set.SIZEOF + (data ? (long) count * Integer.BYTES : 0);
    if (vfio_irq_set.argsz(request) != size) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; data && i < count; i++) {
      int fd = request.get(JAVA_INT, vfio_irq_set.SIZEOF + (long) i * Integer.BYTES);
      if (fd != -1 && !descriptors.contains(fd)) {
        return -Errno.EBADF.number();
      }
    }
    return 0;
  }

  @SuppressWarnings("restricted") // the request names room for one range
  private static MemorySegment rangeAt(long address) {
    return MemorySegment.ofAddress(address).reinterpret(iommu_iova_range.SIZEOF);
  }

  private int map(long iova, long size) {
    Map.Entry<Long, Long> below = mapped.floorEntry(iova + size - 1);
    if (below != null && below.getKey() + below.getValue() > iova) {
      return -Errno.EEXIST.number();
    }
    mapped.put(iova, size);
    return 0;
  }

  private int unmap(long iova, long size) {
    return mapped.remove(iova, size) ? 0 : -Errno.ENOENT.number();
  }

  @Override
  public int ioctl(int fd, int request, long argument) {
    int failed = failureOfThisCall();
    if (failed < 0) {
      return failed;
    }
    if (request == Ioctl.VFIO_CHECK_EXTENSION.number()) {
      return 1;
    }
    return 0; // version 0, set IOMMU, reset
  }

  @Override
  public synchronized long read(int fd, MemorySegment buffer) {
    Deque<byte[]> pieces = queued.get(fd);
    if (pieces == null) {
      return real.read(fd, buffer);
    }
    byte[] piece = pieces.poll();
    if (piece == null) {
      return real.read(fd, buffer) < 0 ? 0 : read(fd, buffer);
    }
    MemorySegment.copy(piece, 0, buffer, JAVA_BYTE, 0, piece.length);
    return piece.length;
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    return real.write(fd, buffer);
  }

  @Override
  public long pread(int fd, MemorySegment buffer, long offset) {
    int failed = failureOfThisCall();
    buffer.fill((byte) 0);
    return failed < 0 ? failed : buffer.byteSize();
  }

  @Override
  public long pwrite(int fd, MemorySegment buffer, long offset) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : buffer.byteSize();
  }

  @Override
  public synchronized long mmap(
      long address, long length, int protection, int flags, int fd, long offset) {
    if ((flags & MAP_FIXED) != 0 && fd < 0) {
      deviceMappings.remove(address);
      return real.mmap(address, length, protection, flags, fd, offset);
    }
    int failed = failureOfThisCall();
    if (failed < 0) {
      return failed;
    }
    if (fd < 0 || Objects.equals(paths.get(fd), "memfd")) {
      return real.mmap(address, length, protection, flags, fd, offset);
    }
    long at = real.mmap(address, length, protection, 0x22 | (flags & MAP_FIXED), -1, 0);
    deviceMappings.add(at);
    return at;
  }

  @Override
  public int munmap(long address, long length) {
    return real.munmap(address, length);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : opened(real.memfdCreate(name, flags), null, "memfd");
  }

  @Override
  public int ftruncate(int fd, long size) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : real.ftruncate(fd, size);
  }

  @Override
  public int addSeals(int fd, int seals) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : real.addSeals(fd, seals);
  }

  @Override
  public int eventfd(int initial, int flags) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : opened(real.eventfd(initial, flags), null, "eventfd");
  }

  @Override
  public int epollCreate(int flags) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : opened(real.epollCreate(flags), null, "epoll");
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    int failed = failureOfThisCall();
    return failed < 0 ? failed : real.epollControl(epoll, operation, fd, event);
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis) {
    return real.epollWait(epoll, events, capacity, timeoutMillis);
  }

  @Override
  public int poll(MemorySegment fds, int count, MemorySegment timeout) {
    return real.poll(fds, count, timeout);
  }

  @Override
  public int statx(int fd, MemorySegment buffer) {
    int failed = failureOfThisCall();
    if (failed < 0) {
      return failed;
    }
    DeviceNumber number = numbers.get(paths.get(fd));
    if (number != null) {
      buffer.set(JAVA_SHORT, 28, (short) 0x2000);
      buffer.set(JAVA_INT, 128, number.major());
      buffer.set(JAVA_INT, 132, number.minor());
      return 0;
    }
    return real.statx(fd, buffer);
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    return real.getrlimit(resource, limit);
  }
}
