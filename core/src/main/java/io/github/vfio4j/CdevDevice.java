package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_detach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.sysfs.DeviceNode;
import io.github.vfio4j.sysfs.HostDevice;
import io.github.vfio4j.sysfs.PciDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A device opened through its own node and bound to an {@link Iommufd}, which owns it.
 *
 * <p>It may be attached to an {@link Ioas} or a {@link Hwpt}, replaced onto another while DMA is
 * under way, and detached; where it has PASIDs, each of them likewise.
 */
public final class CdevDevice extends VfioDevice implements BoundDevice {
  private final Iommufd iommufd;
  private final int id;
  private final boolean passed;

  private final Dependents virtualDevices = new Dependents();
  private final Map<Integer, PageTable> pasids = new TreeMap<>();

  private volatile @Nullable PageTable attached;
  private int hwptId;

  private CdevDevice(
      Host host, String name, Fd fd, BackendChoice choice, Iommufd iommufd, int id, boolean passed)
      throws VfioException {
    super(host, name, fd, choice, iommufd);
    this.iommufd = iommufd;
    this.id = id;
    this.passed = passed;
  }

  /**
   * Opens a device by its node and binds it, without attaching it to an address space.
   *
   * <p>Issues {@code VFIO_DEVICE_BIND_IOMMUFD}. Until {@link #attach} the device does no DMA.
   *
   * @param device the device, as sysfs shows it
   * @param iommufd what to bind it to, and who will own it
   * @return the open device
   * @throws UnsupportedByKernelException if the kernel has no node for the device
   * @throws VfioException as {@link VfioDevice#open(io.github.vfio4j.sysfs.PciAddress)}
   */
  public static CdevDevice bind(HostDevice device, Iommufd iommufd) throws VfioException {
    return bind(iommufd.host(), device, iommufd);
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
   * @param iommufd what to bind it to, and who will own it
   * @return the open device, attached to no address space
   * @throws DeviceBusyException if the file, or another one of this device, is bound already
   * @throws VfioException if the file is not a VFIO device's, or the kernel refuses
   */
  public static CdevDevice bind(int fd, Iommufd iommufd) throws VfioException {
    Host host = iommufd.host();
    Fd passed = OpenNode.duplicate(host.kernel(), fd);
    HostDevice device;
    try {
      device = host.sysfs().deviceOf(OpenNode.number(host.kernel(), passed));
      requireIommu(host, device);
    } catch (VfioException | RuntimeException e) {
      passed.close();
      throw e;
    }
    return bind(
        host,
        device,
        passed,
        iommufd,
        new BackendChoice(Backend.IOMMUFD, "its open file was passed"),
        true);
  }

  /**
   * Binds a device that no IOMMU guards, whose node is then called {@code noiommu-vfioX}. Its DMA
   * reaches <em>all</em> memory, by physical addresses: {@link Ioas#physicalAddress} tells them.
   *
   * <p>The kernel has such nodes where {@code vfio.enable_unsafe_noiommu_mode} is set. Issues
   * {@code VFIO_DEVICE_BIND_IOMMUFD}.
   *
   * @param device the device, as sysfs shows it
   * @param iommufd what to bind it to, and who will own it
   * @return the open device, attached to no address space
   * @throws NotPermittedException if this process has not the capability CAP_SYS_RAWIO
   * @throws UnsupportedByKernelException if the kernel has no node for the device (Linux 7.3 was
   *     the first that made them)
   * @throws VfioException as {@link #bind(HostDevice, Iommufd)}
   */
  public static CdevDevice bindWithoutIommu(HostDevice device, Iommufd iommufd)
      throws VfioException {
    Host host = iommufd.host();
    return bind(
        host, device, openNode(host, device), iommufd, BackendChoice.asked(Backend.IOMMUFD), false);
  }

  static CdevDevice bind(Host host, HostDevice device, Iommufd iommufd) throws VfioException {
    return bind(host, device, iommufd, BackendChoice.asked(Backend.IOMMUFD));
  }

  static CdevDevice open(Host host, HostDevice device, Ioas ioas, BackendChoice choice)
      throws VfioException {
    CdevDevice opened = bind(host, device, ioas.iommufd(), choice);
    try {
      opened.attach(ioas);
      return opened;
    } catch (VfioException | RuntimeException e) {
      FirstFailure.undo(e, opened::close);
      throw e;
    }
  }

  private static CdevDevice bind(
      Host host, HostDevice device, Iommufd iommufd, BackendChoice choice) throws VfioException {
    Fd fd = openNode(host, device);
    try {
      requireIommu(host, device);
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
    return bind(host, device, fd, iommufd, choice, false);
  }

  /** Opens the node of a device, and proves that it is the device's. */
  private static Fd openNode(Host host, HostDevice device) throws VfioException {
    DeviceNode cdev = device.cdev().orElseThrow(() -> noCdev(device));
    Fd fd =
        host.open(
            cdev.path().toString(),
            NoSuchDeviceException::new,
            "sysfs names this node for " + device.name() + ", but it is not there");
    try {
      OpenNode.require(host.kernel(), fd, cdev);
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
    return fd;
  }

  private static VfioException noCdev(HostDevice device) {
    if (!device.hasVfioDriver()) {
      return notBound(device);
    }
    return new UnsupportedByKernelException(
        "open",
        device.name(),
        null,
        "this kernel has no node for it in /dev/vfio/devices (Linux 6.6 with"
            + " CONFIG_VFIO_DEVICE_CDEV has them)");
  }

  static DeviceNotBoundException notBound(HostDevice device) {
    return new DeviceNotBoundException(
        "open",
        device.name(),
        null,
        device.driver().map(driver -> "it is bound to " + driver).orElse("no driver is bound to it")
            + ", not to a VFIO driver");
  }

  /** Refuses a device for which nothing translates: its IOVAs would be physical addresses. */
  static void requireIommu(Host host, HostDevice device) throws VfioException {
    boolean unguarded =
        device.cdev().isPresent()
            && String.valueOf(device.cdev().get().path().getFileName()).startsWith("noiommu-");
    // the group of a mediated device is called so too, but its parent's driver guards its memory
    if (!unguarded && device instanceof PciDevice && device.iommuGroup().isPresent()) {
      unguarded = host.sysfs().group(device.iommuGroup().getAsInt()).noIommu();
    }
    if (unguarded) {
      throw new NotPermittedException(
          "open",
          device.name(),
          null,
          "no IOMMU guards it, so its DMA would reach any memory: turn the IOMMU on, in the firmware"
              + " and in the kernel");
    }
  }

  /** Binds an open file, or closes it. */
  private static CdevDevice bind(
      Host host, HostDevice device, Fd fd, Iommufd iommufd, BackendChoice choice, boolean passed)
      throws VfioException {
    try {
      int id = bindIoctl(host, device, fd, iommufd);
      CdevDevice bound = new CdevDevice(host, device.name(), fd, choice, iommufd, id, passed);
      iommufd.own(bound);
      return bound;
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static int bindIoctl(Host host, HostDevice device, Fd fd, Iommufd iommufd)
      throws VfioException {
    int iommufdNumber = iommufd.fd().acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(vfio_device_bind_iommufd.LAYOUT);
      vfio_device_bind_iommufd.argsz(request, (int) vfio_device_bind_iommufd.SIZEOF);
      vfio_device_bind_iommufd.iommufd(request, iommufdNumber);
      int answer = fd.ioctl(Ioctl.VFIO_DEVICE_BIND_IOMMUFD, request);
      if (answer < 0) {
        throw notBindable(host, device, answer);
      }
      return vfio_device_bind_iommufd.out_devid(request);
    } finally {
      iommufd.fd().release();
    }
  }

  /**
   * Finds out what a refusal means: EPERM stands for a group that is not viable as well as for
   * interrupts that are not isolated, and EINVAL for a device that another file has bound.
   */
  private static VfioException notBindable(Host host, HostDevice device, int answer)
      throws VfioException {
    String operation = Ioctl.VFIO_DEVICE_BIND_IOMMUFD.name();
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EINVAL) || errno.equals(Errno.EBUSY)) {
      return new DeviceBusyException(
          operation, device.name(), errno, "it is open already, here or elsewhere");
    }
    if (!errno.equals(Errno.EPERM)) {
      return Failure.of(Ioctl.VFIO_DEVICE_BIND_IOMMUFD, device.name(), answer);
    }
    if (device.iommuGroup().isPresent()) {
      int group = device.iommuGroup().getAsInt();
      if (!host.sysfs().group(group).offenders().isEmpty()) {
        return new DeviceNotBoundException(
            operation,
            device.name(),
            errno,
            "its group is not viable" + Neighbours.inTheWay(host.sysfs(), group));
      }
    }
    return new NotPermittedException(
        operation,
        device.name(),
        errno,
        "interrupts are not isolated here: turn on interrupt remapping, or set"
            + " iommufd.allow_unsafe_interrupts=1; or another device of its group is bound to"
            + " another iommufd");
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public Iommufd iommufd() {
    return iommufd;
  }

  /** The numbers by which guests know this device. Guarded by the monitor of the iommufd. */
  Dependents virtualDevices() {
    return virtualDevices;
  }

  /**
   * Returns the IO address space that the device does its DMA in: the one it is attached to, or
   * whose mappings are in the page table that it is attached to.
   *
   * @return the address space
   * @throws IllegalStateException if the device is attached to nothing, or to a page table of a
   *     guest, whose addresses are the guest's own
   */
  @Override
  public Ioas addressSpace() {
    return switch (attached) {
      case null -> throw new IllegalStateException(this + " is attached to no IO address space");
      case Ioas ioas -> ioas;
      case HwptPaging hwpt -> hwpt.ioas();
      case HwptNested hwpt ->
          throw new IllegalStateException(
              this + " is attached to " + hwpt + ", whose addresses are the guest's");
    };
  }

  /**
   * Returns what the device is attached to.
   *
   * @return the address space or page table, or empty where it is attached to nothing
   */
  public Optional<PageTable> attached() {
    return Optional.ofNullable(attached);
  }

  /**
   * Returns what a PASID of the device is attached to.
   *
   * @param pasid the PASID
   * @return the address space or page table, or empty where it is attached to nothing
   */
  public Optional<PageTable> attached(int pasid) {
    synchronized (iommufd) {
      return Optional.ofNullable(pasids.get(pasid));
    }
  }

  /** Called with the monitor of the iommufd held. */
  boolean isAttached(Predicate<PageTable> such) {
    return (attached != null && such.test(attached)) || pasids.values().stream().anyMatch(such);
  }

  /**
   * Returns the kernel's number of the page table in use: the one that the device is attached to,
   * or the one that the kernel has found or made for the address space by itself. Without such a
   * page table, as for a mediated device, it is the address space's.
   *
   * @return the object ID within its iommufd, or empty where the device is attached to nothing
   */
  public OptionalInt hwptId() {
    synchronized (iommufd) {
      return attached == null ? OptionalInt.empty() : OptionalInt.of(hwptId);
    }
  }

  /**
   * Asks what the IOMMU behind the device can do; {@code IOMMU_GET_HW_INFO}.
   *
   * @return the answer
   * @throws UnsupportedByKernelException if this kernel has no such question (Linux 6.6 was the
   *     first that had it)
   * @throws VfioException if the kernel refuses otherwise; ENOENT says that no IOMMU translates for
   *     the device, as for a mediated one
   */
  public HwInfo hwInfo() throws VfioException {
    return HwInfo.of(this);
  }

  /**
   * Attaches the device to an IO address space or a page table, or, where it is attached to
   * another, replaces that one in one step, so that the device never translates by anything else.
   *
   * <p>Whether DMA goes on during a replacement is up to the driver of the IOMMU. SMMUv3's changes
   * from one page table of a guest to another at once. Between others it blocks the device for a
   * moment, as VT-d's always does: DMA of that moment is lost, on Arm an interrupt's message, too.
   * Where VT-d's refuses the new one, the device stays blocked, though the kernel counts it as
   * attached to the old one, until it is {@linkplain #detach detached} and attached again.
   *
   * <p>Issues {@code VFIO_DEVICE_ATTACH_IOMMUFD_PT}. An address space's ranges may be narrower
   * afterwards.
   *
   * @param table the address space or page table, of the same iommufd
   * @throws IllegalArgumentException if it belongs to another iommufd
   * @throws IllegalStateException if it is closed
   * @throws IovaInUseException if something is mapped where the device has a reserved range
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning what is
   *     mapped there, which happens when the first device is attached
   * @throws VfioException if the kernel refuses; the device stays attached as it was then
   */
  public void attach(PageTable table) throws VfioException {
    synchronized (iommufd) {
      requireUsable(table);
      PageTable former = attached;
      hwptId = attach(table, 0, former, this.toString());
      attached = table;
    }
  }

  /**
   * Attaches one PASID of the device, or replaces what it is attached to, as {@link
   * #attach(PageTable)} does for requests without a PASID.
   *
   * <p>Issues {@code VFIO_DEVICE_ATTACH_IOMMUFD_PT}. Page tables for it are made with {@link
   * HwptFlag#PASID}, also the one that the device itself is attached to.
   *
   * @param table the address space or page table, of the same iommufd
   * @param pasid the PASID, above 0
   * @throws IllegalArgumentException if the table belongs to another iommufd, or the PASID is not
   *     positive or too large for the device
   * @throws UnsupportedByKernelException if the device or its IOMMU has no PASIDs, or this kernel
   *     cannot attach them (Linux 6.15 was the first)
   * @throws VfioException if the kernel refuses; the PASID stays attached as it was then
   */
  public void attach(PageTable table, int pasid) throws VfioException {
    synchronized (iommufd) {
      requireUsable(table);
      requirePasid(pasid);
      attach(table, pasid, pasids.get(pasid), "PASID " + pasid + " of " + this);
      pasids.put(pasid, table);
    }
  }

  private void requireUsable(PageTable table) {
    iommufd.require(table);
    switch (table) {
      case Ioas ioas -> ioas.requireOpenNow();
      case Hwpt hwpt -> hwpt.object.requireOpen();
    }
  }

  /** Refuses a PASID that the kernel would take, but the device can never send. */
  private void requirePasid(int pasid) throws VfioException {
    int bits = hwInfo().pasidBits();
    if (bits == 0) {
      throw new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT.name(),
          toString(),
          null,
          "the device or its IOMMU has no PASIDs");
    }
    if (pasid <= 0 || pasid >>> bits != 0) {
      throw new IllegalArgumentException(
          "PASIDs of %s are from 1 to %d, not %d".formatted(this, (1L << bits) - 1, pasid));
    }
  }

  /** Attaches, and reads the ranges that this has changed, or leaves it as it was. */
  private int attach(PageTable table, int pasid, @Nullable PageTable former, String who)
      throws VfioException {
    int id = attachIoctl(table, pasid, who);
    try {
      refreshRanges(table);
      refreshRanges(former);
      return id;
    } catch (VfioException e) {
      FirstFailure.undo(
          e,
          () -> {
            if (former == null) {
              detachIoctl(pasid);
            } else {
              attachIoctl(former, pasid, who);
            }
          });
      throw e;
    }
  }

  private static void refreshRanges(@Nullable PageTable table) throws VfioException {
    switch (table) {
      case null -> {}
      case Ioas ioas -> ioas.refreshRanges();
      case HwptPaging hwpt -> hwpt.ioas().refreshRanges();
      case HwptNested hwpt -> hwpt.parent().ioas().refreshRanges();
    }
  }

  /** Attaches, and returns the number of the page table in use. PASID 0 stands for none. */
  private int attachIoctl(PageTable table, int pasid, String who) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(vfio_device_attach_iommufd_pt.LAYOUT);
      vfio_device_attach_iommufd_pt.argsz(request, SIZEOF_WITHOUT_PASID);
      vfio_device_attach_iommufd_pt.pt_id(request, table.id());
      if (pasid != 0) {
        vfio_device_attach_iommufd_pt.argsz(request, (int) vfio_device_attach_iommufd_pt.SIZEOF);
        vfio_device_attach_iommufd_pt.flags(request, vfio_h.VFIO_DEVICE_ATTACH_PASID);
        vfio_device_attach_iommufd_pt.pasid(request, pasid);
      }
      int answer = fd.ioctl(Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, request);
      if (answer < 0) {
        throw notAttachable(table, who + " to " + table, answer);
      }
      return vfio_device_attach_iommufd_pt.pt_id(request);
    }
  }

  private VfioException notAttachable(PageTable table, String object, int answer) {
    String operation = Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT.name();
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EADDRINUSE)) {
      return new IovaInUseException(
          operation,
          object,
          errno,
          "something is mapped, or promised to stay mappable, where the device has a reserved"
              + " range");
    }
    if (errno.equals(Errno.ENOMEM)) {
      return new MemlockLimitException(
          operation,
          object,
          errno,
          "cannot pin the memory that is mapped there: " + MemlockLimit.current(kernel()));
    }
    if (errno.equals(Errno.ENODEV) && table instanceof Hwpt hwpt && hwpt.deliversFaults()) {
      return new UnsupportedByKernelException(
          operation, object, errno, "the device or its IOMMU cannot ask for pages");
    }
    String meaning = "";
    if (errno.equals(Errno.EINVAL) && table instanceof Hwpt) {
      meaning = "the page table is not for this device's IOMMU, or not for its PASIDs";
    } else if (errno.equals(Errno.ENOENT) && table instanceof HwptNested) {
      meaning =
          "the device, or another one of its group, has no vDevice on the vIOMMU of the page table";
    }
    return Failure.of(Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, object, answer, meaning);
  }

  /** Older kernels know the structure without its last field; newer ones take the short form. */
  private static final int SIZEOF_WITHOUT_PASID = (int) vfio_device_attach_iommufd_pt.pasid$OFFSET;

  /**
   * Detaches the device from its IO address space or page table; {@code
   * VFIO_DEVICE_DETACH_IOMMUFD_PT}. Its DMA is blocked from then on. Does nothing where it is not
   * attached.
   *
   * @throws VfioException if the kernel refuses
   */
  public void detach() throws VfioException {
    synchronized (iommufd) {
      PageTable former = attached;
      if (former != null) {
        detachIoctl(0);
        attached = null;
        refreshRanges(former);
      }
    }
  }

  /**
   * Detaches a PASID of the device; {@code VFIO_DEVICE_DETACH_IOMMUFD_PT}. Does nothing where it is
   * not attached.
   *
   * @param pasid the PASID
   * @throws VfioException if the kernel refuses
   */
  public void detach(int pasid) throws VfioException {
    synchronized (iommufd) {
      PageTable former = pasids.get(pasid);
      if (former != null) {
        detachIoctl(pasid);
        pasids.remove(pasid);
        refreshRanges(former);
      }
    }
  }

  private void detachIoctl(int pasid) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(vfio_device_detach_iommufd_pt.LAYOUT);
      vfio_device_detach_iommufd_pt.argsz(
          request, (int) vfio_device_detach_iommufd_pt.pasid$OFFSET);
      if (pasid != 0) {
        vfio_device_detach_iommufd_pt.argsz(request, (int) vfio_device_detach_iommufd_pt.SIZEOF);
        vfio_device_detach_iommufd_pt.flags(request, vfio_h.VFIO_DEVICE_DETACH_PASID);
        vfio_device_detach_iommufd_pt.pasid(request, pasid);
      }
      int answer = fd.ioctl(Ioctl.VFIO_DEVICE_DETACH_IOMMUFD_PT, request);
      if (answer < 0) {
        throw Failure.of(Ioctl.VFIO_DEVICE_DETACH_IOMMUFD_PT, name(), answer);
      }
    }
  }

  /**
   * Ends what closing the file would not end. A guest's number of the device would outlive it as a
   * number that nobody can use or remove. And whoever passed the file may hold it open, and then
   * closing ours alone would end nothing.
   */
  @Override
  void stop(FirstFailure failure) {
    if (!virtualDevices.isEmpty()) {
      failure.attempt(this::detach); // or the guest's page table would lose the number under way
      virtualDevices.close(failure);
    }
    if (passed) {
      failure.attempt(this::disableInterrupts);
      for (int pasid : List.copyOf(pasids.keySet())) {
        failure.attempt(() -> detach(pasid));
      }
      failure.attempt(this::detach);
    }
  }

  @Override
  void leaveOwner() {
    iommufd.forget(this);
  }
}
