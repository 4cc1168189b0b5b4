package io.github.vfio4j.iommufd;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_change_process;
import io.github.vfio4j.bindings.iommu_option;
import io.github.vfio4j.bindings.iommu_vfio_ioas;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.mapping.MemlockLimit;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.opening.SharedFile;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.takeover.RunningIommufd;
import io.github.vfio4j.takeover.Successor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
  private final Fd file;
  private final Dependents devices = new Dependents();
  private final Dependents dependents = new Dependents();

  /** Those that run on this file. Their devices use objects that may be younger than they are. */
  private final Dependents containers = new Dependents();

  private final Map<Integer, Ioas> addressSpaces = new TreeMap<>();
  private volatile boolean closed;

  /** Another process goes on with the kernel's objects, so they are left as they are. */
  private volatile boolean left;

  private Iommufd(Host host, Fd file) {
    this.host = host;
    this.file = file;
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

  /**
   * Opens {@code /dev/iommu} of a host of this library's own.
   *
   * @param host the host
   * @return the open file; the caller closes it
   * @throws VfioException as {@link #open()}
   */
  @SuppressWarnings("exports") // for the packages of this module
  public static Iommufd open(Host host) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file =
          rollback.make(
              () ->
                  host.open(
                      NODE,
                      UnsupportedByKernelException::new,
                      "this kernel has no iommufd (Linux 6.2 with CONFIG_IOMMUFD has it), or the"
                          + " module iommufd is not loaded"),
              Fd::close);
      return rollback.done(new Iommufd(host, file));
    }
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

  static Iommufd ofFd(Host host, int fd) throws VfioException {
    DeviceNode node =
        host.sysfs()
            .iommufd()
            .orElseThrow(
                () ->
                    new UnsupportedByKernelException(
                        "open", NODE, null, "this kernel has no iommufd"));
    try (Rollback rollback = new Rollback()) {
      Fd passed = rollback.make(() -> OpenNode.duplicate(host.kernel(), fd), Fd::close);
      OpenNode.require(host.kernel(), passed, node);
      return rollback.done(new Iommufd(host, passed));
    }
  }

  Kernel kernel() {
    return host.kernel();
  }

  Host host() {
    return host;
  }

  /** Lends the number of this file to a call that needs it as an argument. */
  Fd file() {
    return file;
  }

  /**
   * Lends this file to a container of the legacy interface, {@link
   * io.github.vfio4j.container.Container#open(Iommufd, io.github.vfio4j.container.Container.Type)}.
   *
   * @return a duplicate of the file, and what a container on it has to heed
   * @throws VfioException if the kernel refuses
   */
  @SuppressWarnings("exports") // for the packages of this module
  public synchronized SharedFile share() throws VfioException {
    requireOpen();
    int fd = file.acquire();
    try (Rollback rollback = new Rollback()) {
      Fd copy = rollback.make(() -> OpenNode.duplicate(host.kernel(), fd, NODE), Fd::close);
      return rollback.done(new SharedFile(host, copy, this, containers, this::requireOpen));
    } finally {
      file.release();
    }
  }

  /**
   * Opens a device by its node and binds it, without attaching it to an address space.
   *
   * <p>Issues {@code VFIO_DEVICE_BIND_IOMMUFD}. Until {@link CdevDevice#attach(PageTable)} the
   * device does no DMA.
   *
   * @param device the device, as sysfs shows it
   * @return the open device, which this iommufd owns
   * @throws UnsupportedByKernelException if the kernel has no node for the device
   * @throws VfioException as {@link io.github.vfio4j.VfioDevice#open(io.github.vfio4j.HostDevice)}
   */
  public CdevDevice bind(HostDevice device) throws VfioException {
    return bind(device, Admission.asked(Backend.IOMMUFD));
  }

  CdevDevice bind(HostDevice device, BackendChoice choice) throws VfioException {
    return new Binding(this).guarded(device, choice);
  }

  /**
   * Binds a device whose node was opened before; {@code VFIO_DEVICE_BIND_IOMMUFD}.
   *
   * @param device the open node; its file is the device's from now on
   * @return the open device, attached to no address space, which this iommufd owns
   * @throws IllegalStateException if the node is closed, or bound already
   * @throws VfioException as {@link #bind(HostDevice)}; the node is as before then, or closed where
   *     the kernel has bound the device, but does not tell what it is
   */
  public CdevDevice bind(UnboundDevice device) throws VfioException {
    return device.bind(this);
  }

  /**
   * Binds a device and attaches it to an address space.
   *
   * @param host where the device is
   * @param device the device
   * @param choice why this interface
   * @return the open device, which owns its iommufd
   * @throws VfioException as {@link #bind(HostDevice)}; nothing is left open then
   */
  @SuppressWarnings("exports") // for the packages of this module
  public static CdevDevice openDevice(Host host, HostDevice device, BackendChoice choice)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Iommufd iommufd = rollback.make(() -> open(host), Iommufd::close);
      CdevDevice opened = iommufd.allocateIoas().openDevice(device, choice);
      opened.closeAfterwards(iommufd::close);
      return rollback.done(opened);
    }
  }

  /**
   * Binds a device whose node somebody else has opened and passed to this process.
   *
   * <p>The file's device number is looked up in sysfs, so that no other kind of file passes for a
   * VFIO device. Issues {@code VFIO_DEVICE_BIND_IOMMUFD}.
   *
   * <p>Closing the device ends its interrupts and detaches it, but the kernel keeps it bound until
   * the caller's file is closed too; a file that is bound cannot be bound again.
   *
   * @param fd the number of the open file; it is duplicated, so the caller's stays the caller's
   * @return the open device, attached to no address space
   * @throws DeviceBusyException if the file, or another one of this device, is bound already
   * @throws VfioException if the file is not a VFIO device's, or the kernel refuses
   */
  public CdevDevice bindPassed(int fd) throws VfioException {
    return new Binding(this)
        .passed(fd, new BackendChoice(Backend.IOMMUFD, "its open file was passed"));
  }

  /**
   * Uses a device that somebody else has bound to this iommufd, and whose file was passed to this
   * process: an owner with privileges, or the version of this program that it replaces.
   *
   * <p>The file's device number is looked up in sysfs, and the kernel is asked whether it is bound.
   * Closing the device ends the interrupts and attachments that were made through this object, and
   * leaves the rest to whoever else has the file.
   *
   * @param fd the number of the open file; it is duplicated, so the caller's stays the caller's
   * @param deviceId the kernel's number of the device, as binding gave it: {@link CdevDevice#id}
   * @return the open device. {@link CdevDevice#attached} does not know what it was attached to
   *     before
   * @throws VfioException if the file is not a VFIO device's, or not bound, or the number is not
   *     one of a device of this iommufd
   */
  public CdevDevice takeBound(int fd, int deviceId) throws VfioException {
    return new Binding(this).bound(fd, deviceId);
  }

  /**
   * Binds a device that no IOMMU guards, whose node is then called {@code noiommu-vfioX}. Its DMA
   * reaches <em>all</em> memory, by physical addresses: {@link Ioas#physicalAddress} tells them.
   *
   * <p>The kernel has such nodes where {@code vfio.enable_unsafe_noiommu_mode} is set. Issues
   * {@code VFIO_DEVICE_BIND_IOMMUFD}.
   *
   * @param device the device, as sysfs shows it
   * @return the open device, attached to no address space
   * @throws NotPermittedException if this process has not the capability CAP_SYS_RAWIO
   * @throws UnsupportedByKernelException if the kernel has no node for the device (Linux 7.3 was
   *     the first that made them)
   * @throws VfioException as {@link #bind(HostDevice)}
   */
  public CdevDevice bindWithoutIommu(HostDevice device) throws VfioException {
    return new Binding(this).unguarded(device, Admission.asked(Backend.IOMMUFD));
  }

  /**
   * Allocates an empty IO address space; {@code IOMMU_IOAS_ALLOC}.
   *
   * @return the address space; this iommufd owns it
   * @throws VfioException if the kernel refuses
   */
  public synchronized Ioas allocateIoas() throws VfioException {
    requireOpen();
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      MemorySegment request = Request.of(arena, iommu_ioas_alloc.LAYOUT);
      rollback.add(() -> destroyIfMade(iommu_ioas_alloc.out_ioas_id(request)));
      Answer.require(Ioctl.IOMMU_IOAS_ALLOC, NODE, file.ioctl(Ioctl.IOMMU_IOAS_ALLOC, request));
      return rollback.done(known(iommu_ioas_alloc.out_ioas_id(request)));
    }
  }

  /** Destroys what there is no object of here; 0 is none of the kernel's numbers. */
  private void destroyIfMade(int id) {
    if (id != 0) {
      destroy(id);
    }
  }

  /** Takes over an IOAS of the kernel's, or leaves it alone. */
  synchronized Ioas known(int id) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Ioas ioas = rollback.make(() -> new Ioas(this, file, id), Ioas::abandon);
      dependents.add(ioas, ioas::close);
      addressSpaces.put(id, ioas);
      return rollback.done(ioas);
    }
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
   * Returns against whose limit pinned memory counts; {@code IOMMU_OPTION}.
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
      MemorySegment request = Request.of(arena, iommu_option.LAYOUT);
      iommu_option.option_id(request, option);
      iommu_option.op(request, (short) operation);
      iommu_option.object_id(request, object);
      iommu_option.val64(request, value);
      int answer = file.ioctl(Ioctl.IOMMU_OPTION, request);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_OPTION,
            object == 0 ? NODE : "IOAS " + object,
            answer,
            Answer.is(answer, Errno.EBUSY) ? "it has objects already" : "");
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
      int answer = file.ioctl(Ioctl.IOMMU_VFIO_IOAS, request);
      if (Answer.is(answer, Errno.ENODEV)) {
        return Optional.empty();
      }
      Answer.require(Ioctl.IOMMU_VFIO_IOAS, NODE, answer);
      int id = iommu_vfio_ioas.ioas_id(request);
      Ioas ioas = addressSpaces.get(id);
      return Optional.of(ioas != null ? ioas : known(id));
    }
  }

  /**
   * Chooses the address space that the legacy interface uses on this file, before a group is put
   * into a {@link io.github.vfio4j.container.Container} on it; {@code IOMMU_VFIO_IOAS}.
   *
   * @param ioas an address space of this iommufd
   * @throws IllegalArgumentException if the address space is another iommufd's
   * @throws VfioException if the kernel refuses
   */
  public synchronized void setCompatibilityIoas(Ioas ioas) throws VfioException {
    requireOpen();
    require(ioas);
    ioas.requireOpenNow();
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
      MemorySegment request = compatibilityRequest(arena, operation, ioas);
      Answer.require(Ioctl.IOMMU_VFIO_IOAS, NODE, file.ioctl(Ioctl.IOMMU_VFIO_IOAS, request));
    }
  }

  private static MemorySegment compatibilityRequest(Arena arena, int operation, int ioas) {
    MemorySegment request = Request.of(arena, iommu_vfio_ioas.LAYOUT);
    iommu_vfio_ioas.op(request, (short) operation);
    iommu_vfio_ioas.ioas_id(request, ioas);
    return request;
  }

  /**
   * Counts all memory that is pinned through this file as this process's; {@code
   * IOMMU_IOAS_CHANGE_PROCESS}. A process that took the file over from another, as in a live
   * update, does so before the other ends.
   *
   * <p>Memory that was pinned with the capability CAP_IPC_LOCK counts against no limit, and for
   * that memory Linux (7.3 still) forgets to move {@code VmPin} of {@code /proc/PID/status}: it
   * stays with the process that has mapped it, and falls below zero in the one that unmaps it. VFIO
   * and iommufd do not read it.
   *
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 6.13 was the first)
   * @throws MemlockLimitException if this process's limit of locked memory is too small
   * @throws VfioException if the kernel refuses otherwise, as it does with EINVAL where memory is
   *     mapped that is not a file's ({@link Ioas#mapFile}); nothing has changed then
   */
  public synchronized void changeProcess() throws VfioException {
    requireOpen();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, iommu_ioas_change_process.LAYOUT);
      int answer = file.ioctl(Ioctl.IOMMU_IOAS_CHANGE_PROCESS, request);
      if (Answer.is(answer, Errno.ENOMEM)) {
        throw new MemlockLimitException(
            Ioctl.IOMMU_IOAS_CHANGE_PROCESS.name(),
            NODE,
            Errno.ENOMEM,
            "cannot take over what is pinned: " + MemlockLimit.current(kernel()));
      }
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_IOAS_CHANGE_PROCESS,
            NODE,
            answer,
            Answer.is(answer, Errno.EINVAL) ? "memory that is not a file's is mapped" : "");
      }
    }
  }

  /** Issues an ioctl on this file and answers as the kernel does. */
  int ioctl(Ioctl operation, MemorySegment request) {
    return file.ioctl(operation, request);
  }

  /** Returns whether the kernel's objects are left to another process. */
  boolean isLeft() {
    return left;
  }

  /**
   * For the packages of this module: ends this object and all that was made from it, and leaves the
   * kernel's as they are, for another process that has taken them over, {@link
   * io.github.vfio4j.handover.Handover}.
   *
   * @throws VfioException as {@link #close}
   */
  public synchronized void leave() throws VfioException {
    requireOpen();
    left = true;
    close();
  }

  /**
   * Describes what is in it, for another process to take it over. Whoever calls holds its monitor.
   *
   * @param visitor is shown the files, in the order in which that process wants them
   * @return the description
   * @throws VfioException if something is in it that cannot be taken over; the message says what
   */
  @SuppressWarnings("exports") // for the packages of this module
  public synchronized RunningIommufd describe(Successor visitor) throws VfioException {
    requireOpen();
    return new Description(file, devices, containers, dependents).of(visitor);
  }

  /**
   * Takes over what another process has described.
   *
   * @param host where it is
   * @param running the description
   * @param files its files, in their order, which are duplicated
   * @return the iommufd; {@link #leave} ends it as if it had never been
   * @throws VfioException if the description is not that of the files; nothing has changed then
   */
  @SuppressWarnings("exports") // for the packages of this module
  public static Iommufd takeOver(Host host, RunningIommufd running, Iterator<Fd> files)
      throws VfioException {
    DeviceNode node =
        host.sysfs()
            .iommufd()
            .orElseThrow(
                () ->
                    new UnsupportedByKernelException(
                        "open", NODE, null, "this kernel has no iommufd"));
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> duplicate(host, files), Fd::close);
      OpenNode.require(host.kernel(), file, node);
      Iommufd iommufd = new Iommufd(host, file);
      rollback.add(() -> iommufd.leave());
      new Takeover(iommufd, host, files).run(running);
      return rollback.done(iommufd);
    }
  }

  static Fd duplicate(Host host, Iterator<Fd> files) throws VfioException {
    Fd passed = files.next();
    int number = passed.acquire();
    try {
      return OpenNode.duplicate(host.kernel(), number, passed.object());
    } finally {
      passed.release();
    }
  }

  /** Destroys an object and answers as the kernel does; {@code IOMMU_DESTROY}. */
  int destroy(int id) {
    if (left) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, iommu_destroy.LAYOUT);
      iommu_destroy.id(request, id);
      return file.ioctl(Ioctl.IOMMU_DESTROY, request);
    }
  }

  /**
   * Returns the devices that are bound to this iommufd through this object.
   *
   * @return the open devices, the oldest first, unmodifiable
   */
  public List<CdevDevice> devices() {
    return devices.oldestFirst().stream().map(CdevDevice.class::cast).toList();
  }

  /**
   * Returns the address spaces of this iommufd.
   *
   * @return those that are open, by their numbers, unmodifiable
   */
  public synchronized List<Ioas> addressSpaces() {
    return List.copyOf(addressSpaces.values());
  }

  /** Takes a bound device into ownership. */
  synchronized void own(CdevDevice device) {
    requireOpen();
    devices.add(device, device::close);
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

  /** Maps what the kernel offers on this file. */
  MappedRegion map(long offset, long size, String name, Consumer<MappedRegion> owner)
      throws VfioException {
    long page = kernel().pageSize();
    if (size <= 0 || !Alignment.isMultiple(size | offset, page)) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x of %s are not whole pages".formatted(size, offset, NODE));
    }
    DeviceMapping mapping = new DeviceMapping(kernel(), size, true, true);
    int fd = file.acquire();
    try {
      return MappedMemory.map(fd, offset, mapping, owner, name, offset, size);
    } finally {
      file.release();
    }
  }

  /**
   * Returns whether a device is attached to an object, or to what was made from it. Called with
   * this monitor held.
   *
   * @param object an {@link Ioas}, or the {@link IommufdObject} of another page table or owner
   * @param made what was made from it
   */
  boolean isInUse(Object object, Dependents made) {
    return !isClosed()
        && devices.anyMatch(
            device ->
                device instanceof CdevDevice cdev
                    && cdev.isAttached(
                        table -> {
                          Object attached = table instanceof Hwpt hwpt ? hwpt.object : table;
                          return attached.equals(object) || IommufdObject.reach(made, attached);
                        }));
  }

  /** Refuses what is not this iommufd's, or closed. */
  void requireUsable(PageTable table) {
    require(table);
    switch (table) {
      case Ioas ioas -> ioas.requireOpenNow();
      case Hwpt hwpt -> hwpt.object.requireOpen();
    }
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
    Closing closing = new Closing();
    devices.close(closing);
    containers.close(closing);
    dependents.close(closing);
    closing.attempt(() -> Answer.require("close", NODE, file.close(), ""));
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return NODE;
  }
}
