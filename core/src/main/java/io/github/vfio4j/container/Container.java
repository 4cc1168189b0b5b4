package io.github.vfio4j.container;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.mapping.AddressSpace;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.SharedFile;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An IO address space of the legacy interface: {@code /dev/vfio/vfio} with one or more groups.
 *
 * <p>A new container maps nothing until its first group is added, since only then the kernel knows
 * the IOMMU. The container owns its groups and their open devices, and closes them with itself.
 *
 * <p>When the last device of a group is unbound, the kernel takes the group out, and with the last
 * group all mappings. This container knows them still, and maps them again with its next group.
 */
public final class Container implements IoAddressSpace {
  /** The variants of the kernel's IOMMU driver for x86 and Arm, and none. */
  public enum Type {
    /** Unmaps exactly what was mapped; every kernel since 3.15 has it. */
    TYPE1V2(vfio_h.VFIO_TYPE1v2_IOMMU),

    /** May unmap more than was asked for; only for comparison with old programs. */
    TYPE1(vfio_h.VFIO_TYPE1_IOMMU),

    /**
     * No IOMMU: for devices that none guards, in VFIO's unsafe no-IOMMU mode ({@code
     * vfio.enable_unsafe_noiommu_mode}), which takes CAP_SYS_RAWIO. Nothing can be mapped: such a
     * device's addresses are physical ones, and it reaches all of the host's memory.
     */
    NOIOMMU(vfio_h.VFIO_NOIOMMU_IOMMU);

    private final int extension;

    Type(int extension) {
      this.extension = extension;
    }

    /** Says why a group does not go with this type. */
    private String meaning(int answer) {
      if (this == NOIOMMU) {
        return Answer.is(answer, Errno.EPERM)
            ? "no-IOMMU mode takes CAP_SYS_RAWIO"
            : "an IOMMU guards the group: open its devices in a container of type 1";
      }
      return Answer.is(answer, Errno.EPERM)
          ? "interrupts are not isolated here: turn on interrupt remapping, or set"
              + " vfio_iommu_type1.allow_unsafe_interrupts=1"
          : "";
    }
  }

  private static final String NODE = "/dev/vfio/vfio";

  private final Host host;
  private final Fd file;
  private final Type type;
  private final @Nullable SharedFile iommufd;
  private final ContainerChannel channel;
  private final AddressSpace space;
  private final Map<Integer, Group> groups = new LinkedHashMap<>();

  private Container(Host host, Fd file, Type type, @Nullable SharedFile iommufd)
      throws VfioException {
    this.host = host;
    this.file = file;
    this.type = type;
    this.iommufd = iommufd;
    try (Rollback rollback = new Rollback()) {
      BooleanSupplier gone = this::mappingsWentWithTheGroups;
      this.channel =
          rollback.make(
              () -> new ContainerChannel(host.kernel(), file, gone), ContainerChannel::release);
      this.space = new AddressSpace(host.kernel(), "container " + file.object(), channel);
      synchronized (space.lock()) {
        groupsChanged();
      }
      rollback.done(this);
    }
  }

  /** Asks the kernel whether the last group has gone. Called with the lock held. */
  private boolean mappingsWentWithTheGroups() {
    dropLostGroups();
    return groups.isEmpty() && (iommufd == null || !space.hasMappings()); // or an iommufd has them
  }

  /**
   * Opens a container of type1v2.
   *
   * @return the container; the caller closes it
   * @throws NotPermittedException if this user may not open {@code /dev/vfio/vfio}
   * @throws UnsupportedByKernelException if this kernel has no container interface or no IOMMU of
   *     this type
   * @throws VfioException if the kernel refuses otherwise
   */
  public static Container open() throws VfioException {
    return open(Type.TYPE1V2);
  }

  /**
   * Opens a container of a given type. Only by asking for {@link Type#NOIOMMU} a device is opened
   * that no IOMMU guards.
   *
   * <p>Issues {@code VFIO_GET_API_VERSION} and {@code VFIO_CHECK_EXTENSION}.
   *
   * @param type the variant of the IOMMU driver
   * @return the container; the caller closes it
   * @throws NotPermittedException if this user may not open {@code /dev/vfio/vfio}
   * @throws UnsupportedByKernelException if this kernel has no container interface or no IOMMU of
   *     this type
   * @throws VfioException if the kernel refuses otherwise
   */
  public static Container open(Type type) throws VfioException {
    return open(Host.running(), type);
  }

  static Container open(Host host, Type type) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file =
          rollback.make(
              () ->
                  host.open(
                      NODE,
                      UnsupportedByKernelException::new,
                      "this kernel has no VFIO containers, or the module vfio is not loaded"),
              Fd::close);
      return rollback.done(open(host, file, type, null));
    }
  }

  /**
   * Opens a device on a container of its own.
   *
   * @param host where the device is
   * @param device the device
   * @param choice why this interface
   * @return the open device, which owns its container
   * @throws VfioException as {@link #openDevice(HostDevice)}; nothing is left open then
   */
  @SuppressWarnings("exports") // for the packages of this module
  public static GroupDevice openDevice(Host host, HostDevice device, BackendChoice choice)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Container container = rollback.make(() -> open(host, Type.TYPE1V2), Container::close);
      GroupDevice opened = container.openDevice(device, choice);
      opened.closeAfterwards(container::close);
      return rollback.done(opened);
    }
  }

  /**
   * Opens a device in this container.
   *
   * @param device the device, as sysfs shows it
   * @return the open device; the caller closes it, or this container does
   * @throws VfioException as {@link #group} and {@link
   *     io.github.vfio4j.VfioDevice#open(io.github.vfio4j.HostDevice)}; nothing is left open then
   */
  public GroupDevice openDevice(HostDevice device) throws VfioException {
    return openDevice(
        device, new BackendChoice(Backend.CONTAINER, "the address space is of that interface"));
  }

  private GroupDevice openDevice(HostDevice device, BackendChoice choice) throws VfioException {
    Admission.requireBound(host, device);
    if (type != Type.NOIOMMU) {
      Admission.requireIommu(host, device);
    }
    int number =
        device
            .iommuGroup()
            .orElseThrow(
                () ->
                    new DeviceNotBoundException(
                        "open", device.name(), null, "it is in no IOMMU group"));
    synchronized (space.lock()) {
      try (Rollback rollback = new Rollback()) {
        boolean fresh = !holds(number);
        Group group = group(number);
        if (fresh) {
          rollback.add(() -> drop(group));
        }
        return rollback.done(GroupDevice.open(host, device, this, group, choice));
      }
    }
  }

  /**
   * Runs the legacy interface on an iommufd, in the kernel's compatibility mode: its mappings go to
   * the iommufd's {@linkplain Iommufd#compatibilityIoas compatibility address space}, which the
   * kernel makes with the first group if there is none.
   *
   * <p>Programs move from the one interface to the other this way step by step. The kernel has no
   * dirty tracking in this mode. Container and address space do not know of each other's mappings,
   * so use both only at chosen IOVAs; mappings stay when the last group goes, and end with the
   * container.
   *
   * @param iommufd the iommufd, which owns the container
   * @param type the variant of the IOMMU driver to behave like
   * @return the container; the caller closes it, or the iommufd does
   * @throws VfioException as {@link #open(Type)}
   */
  public static Container open(Iommufd iommufd, Type type) throws VfioException {
    synchronized (iommufd) {
      try (Rollback rollback = new Rollback()) {
        SharedFile shared = rollback.make(iommufd::share, lent -> lent.file().close());
        Container container =
            rollback.make(() -> open(shared.host(), shared.file(), type, shared), Container::close);
        shared.owner().add(container, container::close);
        return rollback.done(container);
      }
    }
  }

  /** Uses an open file, or closes it. */
  static Container open(Host host, Fd file, Type type, @Nullable SharedFile iommufd)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(file::close);
      int version = file.ioctl(Ioctl.VFIO_GET_API_VERSION, 0);
      if (version != vfio_h.VFIO_API_VERSION) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_GET_API_VERSION.name(),
            file.object(),
            version < 0 ? new Errno(-version) : null,
            "the kernel's VFIO interface has version "
                + version
                + ", not "
                + vfio_h.VFIO_API_VERSION);
      }
      // of having no IOMMU the kernel knows nothing before there is a group
      if (type != Type.NOIOMMU && file.ioctl(Ioctl.VFIO_CHECK_EXTENSION, type.extension) <= 0) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_CHECK_EXTENSION.name(),
            file.object(),
            null,
            type + " is not there: load vfio_iommu_type1, or the machine's IOMMU is another kind");
      }
      return rollback.done(new Container(host, file, type, iommufd));
    }
  }

  /**
   * Returns the variant of the IOMMU driver.
   *
   * @return as given to {@link #open(Type)}
   */
  public Type type() {
    return type;
  }

  @Override
  public Backend backend() {
    return Backend.CONTAINER;
  }

  /**
   * Returns a group in this container, which is opened and added if it is not in it yet.
   *
   * <p>Issues {@code VFIO_GROUP_GET_STATUS}, {@code VFIO_GROUP_SET_CONTAINER} and, for the first
   * group, {@code VFIO_SET_IOMMU} and {@code VFIO_IOMMU_GET_INFO}. What was mapped when an earlier
   * last group went is mapped again.
   *
   * @param number the group's number, as sysfs shows it
   * @return the group; this container closes it
   * @throws DeviceNotBoundException if the group has no node, or is not viable: a member is bound
   *     to a driver that is not VFIO's. The message names it
   * @throws DeviceBusyException if somebody else has the group open
   * @throws NotPermittedException if this user may not open the group
   * @throws VfioException if the kernel refuses otherwise; the container is as before then
   */
  public Group group(int number) throws VfioException {
    synchronized (space.lock()) {
      space.requireOpen();
      dropLostGroups();
      Group known = groups.get(number);
      if (known != null) {
        return known;
      }
      try (Rollback rollback = new Rollback()) {
        Group group = rollback.make(() -> Group.open(host, channel.fd(), number), Group::close);
        if (groups.isEmpty()) {
          setIommu();
        }
        readInfo();
        if (groups.isEmpty() && iommufd == null && type != Type.NOIOMMU) {
          space.mapAgain();
        }
        groups.put(number, group);
        groupsChanged();
        return rollback.done(group);
      }
    }
  }

  /** Returns whether a group is in this container. Called with the lock held. */
  private boolean holds(int number) {
    dropLostGroups();
    return groups.containsKey(number);
  }

  private void dropLostGroups() {
    if (groups.values().removeIf(Group::dropIfLost)) {
      groupsChanged();
    }
  }

  /** Only with a group the kernel knows the IOMMU. Called with the lock held. */
  private void groupsChanged() {
    space.refuseMappings(unmappable());
  }

  private @Nullable String unmappable() {
    if (type == Type.NOIOMMU) {
      return "has no IOMMU, so nothing can be mapped: its devices' addresses are physical ones";
    }
    return groups.isEmpty()
        ? "has no group yet, so the kernel cannot map: open a device in it first"
        : null;
  }

  /** Takes a group out again after the opening of its first device failed. */
  private void drop(Group group) throws VfioException {
    groups.remove(group.number());
    groupsChanged();
    group.close();
  }

  private void setIommu() throws VfioException {
    int answer = file.ioctl(Ioctl.VFIO_SET_IOMMU, type.extension);
    if (answer < 0) {
      throw Answer.failure(Ioctl.VFIO_SET_IOMMU, toString(), answer, type.meaning(answer));
    }
  }

  /** Reads what an iommufd learns of a group only when its first device is opened. */
  void deviceOpened() throws VfioException {
    if (iommufd != null) {
      readInfo();
    }
  }

  private void readInfo() throws VfioException {
    if (type == Type.NOIOMMU) {
      return; // there is nothing to tell, and the kernel refuses to
    }
    ContainerInfo info = ContainerInfo.read(file);
    space.accept(info.ranges(), Math.max(info.granule(), host.kernel().pageSize()));
  }

  @Override
  public List<IovaRange> iovaRanges() {
    return space.iovaRanges();
  }

  @Override
  public long granule() {
    return space.granule();
  }

  @Override
  public void map(MemorySegment memory, long iova, DmaAccess access) throws VfioException {
    space.map(iova, memory, access);
  }

  @Override
  public DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException {
    return space.map(memory, access);
  }

  @Override
  public void unmap(long iova, long size) throws VfioException {
    space.unmap(iova, size);
  }

  @Override
  public void mapAll(List<MemoryRegion> regions) throws VfioException {
    space.mapAll(regions);
  }

  @Override
  public List<MemoryRegion> mapMissing(List<MemoryRegion> regions) throws VfioException {
    return space.mapMissing(regions);
  }

  @Override
  public long unmapRange(long iova, long size) throws VfioException {
    return space.unmapRange(iova, size);
  }

  @Override
  public void unmapAll() throws VfioException {
    space.unmapAll();
  }

  @Override
  public DmaBuffer allocate(long size) throws VfioException {
    return space.allocate(size);
  }

  @Override
  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    return space.allocateHuge(size, hugePageSize);
  }

  /**
   * Closes the container with its groups and their devices; unmaps and unpins everything in it and
   * frees its buffers. Later calls do nothing.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public void close() throws VfioException {
    if (iommufd == null) {
      space.close(this::release);
      return;
    }
    synchronized (iommufd.monitor()) {
      space.close(this::release);
      iommufd.owner().remove(this);
    }
  }

  private boolean release(Closing closing) {
    for (Group group : List.copyOf(groups.values()).reversed()) {
      closing.attempt(group::close);
    }
    groups.clear();
    if (iommufd != null) {
      closing.attempt(
          () -> space.forEachMapping((iova, size, memory, access) -> unmap(iova, size, closing)));
    }
    channel.release();
    closing.attempt(() -> Answer.require("close", toString(), file.close(), ""));
    return true;
  }

  /** Unmaps what an iommufd would keep when this file is closed, unless its IOAS is gone. */
  private void unmap(long iova, long size, Closing closing) {
    long answer = channel.unmap(iova, size);
    if (answer < 0 && !Answer.is(answer, Errno.ENODEV)) {
      closing.add(Answer.failure(Ioctl.VFIO_IOMMU_UNMAP_DMA, toString(), (int) answer));
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return space.toString();
  }
}
