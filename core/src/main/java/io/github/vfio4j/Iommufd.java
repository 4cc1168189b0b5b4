package io.github.vfio4j;

import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_change_process;
import io.github.vfio4j.bindings.iommu_option;
import io.github.vfio4j.bindings.iommu_vfio_ioas;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.sysfs.DeviceNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * An open {@code /dev/iommu}: the objects of one user of the IOMMU, and the devices bound to it.
 *
 * <p>It owns them: closing it closes its devices, then its objects, the youngest first, then the
 * file. Objects of one iommufd are made, attached and destroyed one at a time. Thread-safe. After
 * {@link #close} its methods throw {@link IllegalStateException}.
 */
public final class Iommufd implements AutoCloseable {
  private static final String NODE = "/dev/iommu";

  private final Host host;
  private final Fd fd;
  private final Set<CdevDevice> devices = ConcurrentHashMap.newKeySet();
  private final Dependents dependents = new Dependents();
  private final Dependents containers = new Dependents();
  private final Map<Integer, Ioas> addressSpaces = new TreeMap<>();
  private volatile boolean closed;

  private Iommufd(Host host, Fd fd) {
    this.host = host;
    this.fd = fd;
  }

  /**
   * Opens {@code /dev/iommu}.
   *
   * @return the open file; the caller closes it
   * @throws UnsupportedByKernelException if this kernel has no iommufd (Linux 6.2 was the first)
   * @throws NotPermittedException if this user may not open it
   * @throws VfioException if the kernel refuses otherwise
   */
  public static Iommufd open() throws VfioException {
    return open(Host.running());
  }

  static Iommufd open(Host host) throws VfioException {
    return new Iommufd(
        host,
        host.open(
            NODE,
            UnsupportedByKernelException::new,
            "this kernel has no iommufd (Linux 6.2 with CONFIG_IOMMUFD has it), or the module"
                + " iommufd is not loaded"));
  }

  /**
   * Uses a {@code /dev/iommu} that somebody else has opened and passed to this process.
   *
   * @param fd the number of the open file; it is duplicated, so the caller's stays the caller's
   * @return the open file; the caller closes it
   * @throws VfioException if the number cannot be duplicated or is not an iommufd
   */
  public static Iommufd ofFd(int fd) throws VfioException {
    return ofFd(Host.running(), fd);
  }

  static Iommufd ofFd(Host host, int number) throws VfioException {
    DeviceNode node =
        host.sysfs()
            .iommufd()
            .orElseThrow(
                () ->
                    new UnsupportedByKernelException(
                        "open", NODE, null, "this kernel has no iommufd"));
    Fd passed = OpenNode.duplicate(host.kernel(), number);
    try {
      OpenNode.require(host.kernel(), passed, node);
    } catch (VfioException | RuntimeException e) {
      passed.close();
      throw e;
    }
    return new Iommufd(host, passed);
  }

  Kernel kernel() {
    return host.kernel();
  }

  Host host() {
    return host;
  }

  /** Lends the number of this file to a call that needs it as an argument. */
  Fd fd() {
    return fd;
  }

  /**
   * Allocates an empty IO address space; {@code IOMMU_IOAS_ALLOC}.
   *
   * @return the address space; this iommufd owns it
   * @throws VfioException if the kernel refuses
   */
  public synchronized Ioas allocateIoas() throws VfioException {
    requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_ioas_alloc.LAYOUT);
      iommu_ioas_alloc.size(request, (int) iommu_ioas_alloc.SIZEOF);
      int answer = fd.ioctl(Ioctl.IOMMU_IOAS_ALLOC, request);
      if (answer < 0) {
        throw Failure.of(Ioctl.IOMMU_IOAS_ALLOC, NODE, answer);
      }
      int id = iommu_ioas_alloc.out_ioas_id(request);
      try {
        return known(new Ioas(this, fd, id));
      } catch (VfioException | RuntimeException e) {
        destroy(id);
        throw e;
      }
    }
  }

  private Ioas known(Ioas ioas) {
    addressSpaces.put(ioas.id(), ioas);
    dependents.add(ioas, ioas::close);
    return ioas;
  }

  /**
   * Makes a queue for page faults of devices; {@code IOMMU_FAULT_QUEUE_ALLOC}.
   *
   * @return the queue; this iommufd owns it
   * @throws UnsupportedByKernelException if this kernel has none (Linux 6.11 was the first)
   * @throws VfioException if the kernel refuses otherwise
   */
  public synchronized FaultQueue allocateFaultQueue() throws VfioException {
    requireOpen();
    return FaultQueue.allocate(this);
  }

  /**
   * Tells against whose limit pinned memory counts; {@code IOMMU_OPTION}.
   *
   * @return the mode
   * @throws VfioException if the kernel refuses
   */
  public synchronized RlimitMode rlimitMode() throws VfioException {
    requireOpen();
    return option(iommufd_h.IOMMU_OPTION_RLIMIT_MODE, iommufd_h.IOMMU_OPTION_OP_GET, 0, 0) == 0
        ? RlimitMode.USER
        : RlimitMode.PROCESS;
  }

  /**
   * Chooses against whose limit pinned memory counts; {@code IOMMU_OPTION}.
   *
   * @param mode the mode
   * @throws NotPermittedException if this process has not the capability CAP_SYS_RESOURCE
   * @throws DeviceBusyException if there are objects already: choose before making any
   * @throws VfioException if the kernel refuses otherwise
   */
  public synchronized void setRlimitMode(RlimitMode mode) throws VfioException {
    requireOpen();
    option(
        iommufd_h.IOMMU_OPTION_RLIMIT_MODE,
        iommufd_h.IOMMU_OPTION_OP_SET,
        0,
        mode == RlimitMode.PROCESS ? 1 : 0);
  }

  /** Gets or sets an option and returns its value. */
  long option(int option, int operation, int object, long value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_option.LAYOUT);
      iommu_option.size(request, (int) iommu_option.SIZEOF);
      iommu_option.option_id(request, option);
      iommu_option.op(request, (short) operation);
      iommu_option.object_id(request, object);
      iommu_option.val64(request, value);
      int answer = fd.ioctl(Ioctl.IOMMU_OPTION, request);
      if (answer < 0) {
        throw Failure.of(
            Ioctl.IOMMU_OPTION,
            object == 0 ? NODE : "IOAS " + object,
            answer,
            answer == -Errno.EBUSY.number() ? "it has objects already" : "");
      }
      return iommu_option.val64(request);
    }
  }

  /**
   * Returns the address space that the legacy interface uses on this file; {@code IOMMU_VFIO_IOAS}.
   *
   * @return the address space, or empty where there is none yet. One that the kernel has made by
   *     itself is owned by this iommufd from now on; it does not know what is mapped in it
   * @throws VfioException if the kernel refuses
   */
  public synchronized Optional<Ioas> compatibilityIoas() throws VfioException {
    requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = compatibilityRequest(arena, iommufd_h.IOMMU_VFIO_IOAS_GET, 0);
      int answer = fd.ioctl(Ioctl.IOMMU_VFIO_IOAS, request);
      if (answer == -Errno.ENODEV.number()) {
        return Optional.empty();
      }
      if (answer < 0) {
        throw Failure.of(Ioctl.IOMMU_VFIO_IOAS, NODE, answer);
      }
      int id = iommu_vfio_ioas.ioas_id(request);
      Ioas ioas = addressSpaces.get(id);
      return Optional.of(ioas != null ? ioas : known(new Ioas(this, fd, id)));
    }
  }

  /**
   * Chooses the address space that the legacy interface uses on this file, before a group is put
   * into a {@link Container} on it; {@code IOMMU_VFIO_IOAS}.
   *
   * @param ioas an address space of this iommufd
   * @throws IllegalArgumentException if the address space is another iommufd's
   * @throws VfioException if the kernel refuses
   */
  public synchronized void setCompatibilityIoas(Ioas ioas) throws VfioException {
    requireOpen();
    require(ioas);
    ioas.requireOpen();
    compatibility(iommufd_h.IOMMU_VFIO_IOAS_SET, ioas.id());
  }

  /**
   * Leaves the legacy interface without an address space on this file; {@code IOMMU_VFIO_IOAS}. The
   * address space itself stays.
   *
   * @throws VfioException if the kernel refuses
   */
  public synchronized void clearCompatibilityIoas() throws VfioException {
    requireOpen();
    compatibility(iommufd_h.IOMMU_VFIO_IOAS_CLEAR, 0);
  }

  private void compatibility(int operation, int ioas) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      int answer = fd.ioctl(Ioctl.IOMMU_VFIO_IOAS, compatibilityRequest(arena, operation, ioas));
      if (answer < 0) {
        throw Failure.of(Ioctl.IOMMU_VFIO_IOAS, NODE, answer);
      }
    }
  }

  private static MemorySegment compatibilityRequest(Arena arena, int operation, int ioas) {
    MemorySegment request = arena.allocate(iommu_vfio_ioas.LAYOUT);
    iommu_vfio_ioas.size(request, (int) iommu_vfio_ioas.SIZEOF);
    iommu_vfio_ioas.op(request, (short) operation);
    iommu_vfio_ioas.ioas_id(request, ioas);
    return request;
  }

  /**
   * Counts all memory that is pinned through this file as this process's; {@code
   * IOMMU_IOAS_CHANGE_PROCESS}. A process that took the file over from another, as in a live
   * update, does so before the other ends.
   *
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 6.13 was the first)
   * @throws MemlockLimitException if this process's limit of locked memory is too small
   * @throws VfioException if the kernel refuses otherwise, as it does with EINVAL where memory is
   *     mapped that is not a file's ({@link Ioas#mapFile}); nothing has changed then
   */
  public synchronized void changeProcess() throws VfioException {
    requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_ioas_change_process.LAYOUT);
      iommu_ioas_change_process.size(request, (int) iommu_ioas_change_process.SIZEOF);
      int answer = fd.ioctl(Ioctl.IOMMU_IOAS_CHANGE_PROCESS, request);
      if (answer == -Errno.ENOMEM.number()) {
        throw new MemlockLimitException(
            Ioctl.IOMMU_IOAS_CHANGE_PROCESS.name(),
            NODE,
            Errno.ENOMEM,
            "cannot take over what is pinned: " + MemlockLimit.current(kernel()));
      }
      if (answer < 0) {
        throw Failure.of(
            Ioctl.IOMMU_IOAS_CHANGE_PROCESS,
            NODE,
            answer,
            answer == -Errno.EINVAL.number() ? "memory that is not a file's is mapped" : "");
      }
    }
  }

  /** Issues an ioctl on this file and answers as the kernel does. */
  int ioctl(Ioctl operation, MemorySegment request) {
    return fd.ioctl(operation, request);
  }

  /** Destroys an object and answers as the kernel does; {@code IOMMU_DESTROY}. */
  int destroy(int id) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_destroy.LAYOUT);
      iommu_destroy.size(request, (int) iommu_destroy.SIZEOF);
      iommu_destroy.id(request, id);
      return fd.ioctl(Ioctl.IOMMU_DESTROY, request);
    }
  }

  /** Takes a bound device into ownership. */
  synchronized void own(CdevDevice device) {
    requireOpen();
    devices.add(device);
  }

  void forget(CdevDevice device) {
    devices.remove(device);
  }

  void forget(Ioas ioas) {
    addressSpaces.remove(ioas.id());
    dependents.remove(ioas);
  }

  Dependents dependents() {
    return dependents;
  }

  /** Those that run on this file. Their devices use objects that may be younger than they are. */
  Dependents containers() {
    return containers;
  }

  /** Maps what the kernel offers on this file. */
  MappedRegion map(long offset, long size, String name, Consumer<MappedRegion> owner)
      throws VfioException {
    long partial = kernel().pageSize() - 1L;
    if (size <= 0 || (size & partial) != 0 || (offset & partial) != 0) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x of %s are not whole pages".formatted(size, offset, NODE));
    }
    int number = fd.acquire();
    try {
      long address = DeviceMapping.request(kernel(), number, offset, size, true, true);
      if (address < 0) {
        throw Failure.of("mmap", name, (int) address, "");
      }
      DeviceMapping mapping = DeviceMapping.at(kernel(), address, size);
      return new MappedRegion(owner, name, mapping, offset, size);
    } finally {
      fd.release();
    }
  }

  /**
   * Tells whether a device is attached to an object, or to what was made from it. Called with this
   * monitor held.
   *
   * @param object an {@link Ioas}, or the {@link IommufdObject} of another page table or owner
   * @param made what was made from it
   */
  boolean isInUse(Object object, Dependents made) {
    return !isClosed()
        && devices.stream()
            .anyMatch(
                device ->
                    device.isAttached(
                        table -> {
                          Object attached = table instanceof Hwpt hwpt ? hwpt.object : table;
                          return attached.equals(object) || made.reach(attached);
                        }));
  }

  void require(PageTable table) {
    if (table.iommufd() != this) {
      throw new IllegalArgumentException(table + " belongs to another iommufd");
    }
  }

  /** Refuses a device whose number is not this file's, or no longer its own. */
  void require(BoundDevice device) {
    if (device.iommufd() != this) {
      throw new IllegalArgumentException(device + " is bound to another iommufd");
    }
    if (device instanceof CdevDevice cdev && cdev.isClosed()) {
      throw new IllegalStateException(device + " is closed");
    }
  }

  /** Refuses a queue whose number is not this file's, or no longer its own. */
  void require(FaultQueue queue) {
    if (queue.object().iommufd() != this) {
      throw new IllegalArgumentException(queue + " belongs to another iommufd");
    }
    queue.object().requireOpen();
  }

  boolean isClosed() {
    return closed;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException(NODE + " is closed");
    }
  }

  /**
   * Closes the devices bound to this iommufd, its objects, and the file, in that order. Later calls
   * do nothing.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    FirstFailure failure = new FirstFailure();
    for (CdevDevice device : devices) {
      failure.attempt(device::close);
    }
    containers.close(failure);
    dependents.close(failure);
    int answer = fd.close();
    if (answer < 0) {
      failure.add(Failure.of("close", NODE, answer, ""));
    }
    failure.rethrow();
  }

  /** Returns what messages call this file. */
  @Override
  public String toString() {
    return NODE;
  }
}
