package io.github.vfio4j.container;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.DirtyBitmap;
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
import java.util.Optional;
import java.util.OptionalLong;
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
@SuppressWarnings("exports") // the engine is for the packages of this module
public final class Container implements IoAddressSpace, AddressSpace.Owner {
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

  /**
   * How a container tells dirty pages.
   *
   * @param pageSizes the sizes that one bit may stand for: the powers of two whose bit is set
   * @param largestBitmap bytes of the largest bitmap that it fills in one call
   */
  public record Migration(long pageSizes, long largestBitmap) {}

  private static final String NODE = "/dev/vfio/vfio";

  private final Host host;
  private final Fd file;
  private final Type type;
  private final @Nullable SharedFile iommufd;
  private final ContainerChannel channel;
  private final AddressSpace space;
  private final DirtyPages dirtyPages;
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
      this.dirtyPages = new DirtyPages(channel, space.toString());
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

  /**
   * For the packages of this module.
   *
   * @return the engine
   */
  @Override
  public AddressSpace engine() {
    return space;
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

  /** Returns the files of the groups that are in this container now, by number. */
  Map<Integer, Fd> groupFiles() {
    synchronized (space.lock()) {
      dropLostGroups();
      Map<Integer, Fd> files = new LinkedHashMap<>();
      groups.forEach((number, group) -> files.put(number, group.file()));
      return files;
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
  public boolean populate(MemorySegment memory, DmaAccess access, Progress progress)
      throws VfioException {
    return space.populate(memory, access, progress);
  }

  @Override
  public DmaBuffer allocate(long size, Allocation how) throws VfioException {
    return space.allocate(size, how);
  }

  @Override
  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    return space.allocateHuge(size, hugePageSize);
  }

  /**
   * Returns how many more mappings there may be. The kernel has a limit for all containers alike,
   * {@code vfio_iommu_type1.dma_entry_limit}, of 65,535 mappings unless it is set otherwise; one
   * mapping more is refused with ENOSPC. An iommufd has no such limit, and says 4,294,967,295.
   *
   * <p>Issues {@code VFIO_IOMMU_GET_INFO}.
   *
   * @return the number; empty where the kernel does not tell, as before Linux 5.10
   * @throws IllegalStateException if no group is in this container
   * @throws VfioException if the kernel refuses
   */
  public OptionalLong mappingsLeft() throws VfioException {
    return info().mappingsLeft();
  }

  /**
   * Returns how dirty pages can be read; {@code VFIO_IOMMU_GET_INFO}.
   *
   * @return the page sizes, and the size of a bitmap; empty where the kernel does not tell, as
   *     before Linux 5.8 and on an iommufd
   * @throws IllegalStateException if no group is in this container
   * @throws VfioException if the kernel refuses
   */
  public Optional<Migration> migration() throws VfioException {
    return info().migration();
  }

  private ContainerInfo info() throws VfioException {
    synchronized (space.lock()) {
      requireGroup();
      return ContainerInfo.read(file);
    }
  }

  /** Refuses what the kernel can only do with a group. Called with the lock held. */
  private void requireGroup() {
    space.requireOpen();
    dropLostGroups();
    space.requireMappable();
  }

  /**
   * Switches the collecting of dirty pages on or off; {@code VFIO_IOMMU_DIRTY_PAGES}. It is off
   * again when the last group goes.
   *
   * <p>No IOMMU tells a container what devices write: as long as a device may reach memory at all,
   * all of it counts as dirty. What is worth collecting are the pages of mediated devices alone,
   * whose drivers pin what they write, page by page. For an IOMMU with dirty bits use {@link
   * io.github.vfio4j.iommufd.HwptPaging#setDirtyTracking}.
   *
   * @param on whether to collect
   * @throws IllegalStateException if no group is in this container
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 5.8 was the first), or the
   *     container is of {@link Type#TYPE1} or on an iommufd
   * @throws VfioException if the kernel refuses otherwise
   */
  public void setDirtyTracking(boolean on) throws VfioException {
    synchronized (space.lock()) {
      requireGroup();
      dirtyPages.track(on);
    }
  }

  /**
   * Reads which pages may have been written since the last reading, and clears that; {@code
   * VFIO_IOMMU_DIRTY_PAGES}. Bits that are set in the bitmap already stay set. Pages that are
   * pinned still count as written at the next reading. The kernel may report pages that were not
   * written, and even holes, where several mappings are in the range (Linux 7.3 does).
   *
   * @param bitmap which range to read, and where the answer goes: by pages of {@link #granule}. It
   *     may hold several mappings, and holes
   * @throws IllegalArgumentException if its pages are of another size, or the bitmap is larger than
   *     the 256 MiB that any kernel fills
   * @throws IllegalStateException if no group is in this container
   * @throws UnsupportedByKernelException as {@link #setDirtyTracking}
   * @throws VfioException if the kernel refuses: EINVAL says that dirty pages are not collected, or
   *     that the range cuts a mapping
   */
  public void readAndClearDirty(DirtyBitmap bitmap) throws VfioException {
    synchronized (space.lock()) {
      requireGroup();
      requireFits(bitmap);
      dirtyPages.readAndClear(bitmap);
    }
  }

  /**
   * Unmaps what one call of {@link #map(MemorySegment, long, DmaAccess)} mapped, and reads which of
   * its pages may have been written until then; {@code VFIO_IOMMU_UNMAP_DMA}.
   *
   * @param bitmap the mapping's range, and where the answer goes, as in {@link #readAndClearDirty}
   * @throws IllegalArgumentException if no mapping of just this range is there, or as {@link
   *     #readAndClearDirty}
   * @throws IllegalStateException if no group is in this container
   * @throws UnsupportedByKernelException if the container is on an iommufd
   * @throws VfioException if the kernel refuses; the memory stays mapped then. EINVAL says that
   *     dirty pages are not collected
   */
  public void unmapAndReadDirty(DirtyBitmap bitmap) throws VfioException {
    synchronized (space.lock()) {
      requireGroup();
      requireFits(bitmap);
      if (iommufd != null) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_IOMMU_UNMAP_DMA.name(),
            toString(),
            null,
            "an iommufd does not tell dirty pages this way; use a page table of DIRTY_TRACKING");
      }
      space.unmap(
          bitmap.iova(), bitmap.length(), (iova, size) -> dirtyPages.unmap(iova, size, bitmap));
    }
  }

  private void requireFits(DirtyBitmap bitmap) {
    if (bitmap.pageSize() != granule()) {
      throw new IllegalArgumentException(
          "Cannot read %s of %s: a bit has to stand for %d bytes, not %d"
              .formatted(bitmap, this, granule(), bitmap.pageSize()));
    }
    if (bitmap.bits().byteSize() > DirtyPages.LARGEST) {
      throw new IllegalArgumentException(
          "Cannot read %s of %s: a container fills %d bytes of bits at once"
              .formatted(bitmap, this, DirtyPages.LARGEST));
    }
  }

  /**
   * Tells the kernel that mapped memory is at another address of this process, as it is after it
   * was mapped anew from its file; {@code VFIO_IOMMU_UNMAP_DMA} and {@code VFIO_IOMMU_MAP_DMA} with
   * their {@code VADDR} flags. DMA goes on meanwhile.
   *
   * <p>The kernel does not look at the pages: devices see the old ones as before, and what was
   * mapped stays pinned. So the memory has to be the same pages, of a shared file. The address
   * matters when the process pays for locked memory, and when memory is mapped again for a group
   * that comes later.
   *
   * @param iova where the mapping starts
   * @param memory the memory at its new address, of the mapping's size
   * @throws IllegalArgumentException if no mapping of that size starts there, or as {@link
   *     #map(MemorySegment, long, DmaAccess)}
   * @throws IllegalStateException if the memory has been freed, or no group is in this container
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 5.12 was the first), a
   *     mediated device is in the container, or the container is on an iommufd
   * @throws VfioException if the kernel refuses otherwise; the old address counts then
   */
  public void moveMemory(long iova, MemorySegment memory) throws VfioException {
    synchronized (space.lock()) {
      requireGroup();
      if (channel.extension(vfio_h.VFIO_UPDATE_VADDR) <= 0) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_CHECK_EXTENSION.name(),
            toString(),
            null,
            "VFIO_UPDATE_VADDR is not there: not before Linux 5.12, with a mediated device, or on"
                + " an iommufd");
      }
      space.move(iova, memory, channel::move);
    }
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
    Closing closing = new Closing();
    endUse(closing);
    closing.attempt(this::closeSelf);
    closing.rethrow();
  }

  /** Ends what uses the devices: it may be in other address spaces, hence without the lock. */
  private void endUse(Closing closing) {
    List<Group> all;
    synchronized (space.lock()) {
      all = List.copyOf(groups.values());
    }
    all.forEach(group -> group.endUse(closing));
  }

  private void closeSelf() throws VfioException {
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
    } else if (space.hasMappings()) {
      closing.attempt(this::unmapWhatOthersKeep);
    }
    channel.release();
    closing.attempt(() -> Answer.require("close", toString(), file.close(), ""));
    return true;
  }

  /** Who was passed a device's file has its group open, and so all that is mapped. */
  private void unmapWhatOthersKeep() throws VfioException {
    Answer.require(Ioctl.VFIO_IOMMU_UNMAP_DMA, toString(), channel.unmapLeftovers());
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
