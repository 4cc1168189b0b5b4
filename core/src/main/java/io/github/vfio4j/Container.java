package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
public final class Container extends IoAddressSpace {
  /** The variants of the kernel's IOMMU driver for x86 and Arm. */
  public enum Type {
    /** Unmaps exactly what was mapped; every kernel since 3.15 has it. */
    TYPE1V2(vfio_h.VFIO_TYPE1v2_IOMMU),

    /** May unmap more than was asked for; only for comparison with old programs. */
    TYPE1(vfio_h.VFIO_TYPE1_IOMMU);

    private final int extension;

    Type(int extension) {
      this.extension = extension;
    }
  }

  private static final String NODE = "/dev/vfio/vfio";

  private final Host host;
  private final Fd fd;
  private final int fdNumber;
  private final Type type;
  private final @Nullable Iommufd iommufd;
  private final Map<Integer, Group> groups = new LinkedHashMap<>();
  private final MemorySegment mapRequest;
  private final MemorySegment unmapRequest;

  private Container(Host host, Fd fd, Type type, @Nullable Iommufd iommufd) {
    super(host.kernel(), "container " + fd.object());
    this.iommufd = iommufd;
    this.host = host;
    this.fd = fd;
    this.fdNumber = fd.acquire();
    this.type = type;
    this.mapRequest = Arena.ofAuto().allocate(vfio_iommu_type1_dma_map.LAYOUT);
    this.unmapRequest = Arena.ofAuto().allocate(vfio_iommu_type1_dma_unmap.LAYOUT);
    vfio_iommu_type1_dma_map.argsz(mapRequest, (int) vfio_iommu_type1_dma_map.SIZEOF);
    vfio_iommu_type1_dma_unmap.argsz(unmapRequest, (int) vfio_iommu_type1_dma_unmap.SIZEOF);
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
   * Opens a container of a given type.
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
    Fd fd =
        host.open(
            NODE,
            UnsupportedByKernelException::new,
            "this kernel has no VFIO containers, or the module vfio is not loaded");
    return open(host, fd, type, null);
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
      iommufd.requireOpen();
      int number = iommufd.fd().acquire();
      Fd fd;
      try {
        fd = OpenNode.duplicate(iommufd.kernel(), number, iommufd.toString());
      } finally {
        iommufd.fd().release();
      }
      Container container = open(iommufd.host(), fd, type, iommufd);
      iommufd.containers().add(container, container::close);
      return container;
    }
  }

  /** Uses an open file, or closes it. */
  private static Container open(Host host, Fd fd, Type type, @Nullable Iommufd iommufd)
      throws VfioException {
    try {
      int version = fd.ioctl(Ioctl.VFIO_GET_API_VERSION, 0);
      if (version != vfio_h.VFIO_API_VERSION) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_GET_API_VERSION.name(),
            fd.object(),
            version < 0 ? new Errno(-version) : null,
            "the kernel's VFIO interface has version "
                + version
                + ", not "
                + vfio_h.VFIO_API_VERSION);
      }
      if (fd.ioctl(Ioctl.VFIO_CHECK_EXTENSION, type.extension) <= 0) {
        throw new UnsupportedByKernelException(
            Ioctl.VFIO_CHECK_EXTENSION.name(),
            fd.object(),
            null,
            type + " is not there: load vfio_iommu_type1, or the machine's IOMMU is another kind");
      }
      return new Container(host, fd, type, iommufd);
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
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
    synchronized (lock) {
      requireOpen();
      dropLostGroups();
      Group known = groups.get(number);
      if (known != null) {
        return known;
      }
      Group group = Group.open(host, fdNumber, number);
      try {
        if (groups.isEmpty()) {
          setIommu();
        }
        readInfo();
        if (groups.isEmpty() && iommufd == null) {
          mapAgain();
        }
      } catch (VfioException | RuntimeException e) {
        group.close();
        throw e;
      }
      groups.put(number, group);
      return group;
    }
  }

  /** Tells whether a group is in this container. */
  boolean holds(int number) {
    synchronized (lock) {
      dropLostGroups();
      return groups.containsKey(number);
    }
  }

  private void dropLostGroups() {
    groups.values().removeIf(Group::dropIfLost);
  }

  /** Takes a group out again after the opening of its first device failed. */
  void drop(Group group, Exception cause) {
    synchronized (lock) {
      groups.remove(group.number());
      FirstFailure.undo(cause, group::close);
    }
  }

  private void setIommu() throws VfioException {
    int answer = fd.ioctl(Ioctl.VFIO_SET_IOMMU, type.extension);
    if (answer < 0) {
      throw Failure.of(
          Ioctl.VFIO_SET_IOMMU,
          object,
          answer,
          answer == -Errno.EPERM.number()
              ? "interrupts are not isolated here: turn on interrupt remapping, or set"
                  + " vfio_iommu_type1.allow_unsafe_interrupts=1"
              : "");
    }
  }

  /** Reads what an iommufd learns of a group only when its first device is opened. */
  void deviceOpened() throws VfioException {
    if (iommufd != null) {
      readInfo();
    }
  }

  private void readInfo() throws VfioException {
    ContainerInfo info = ContainerInfo.read(fd);
    accept(info.ranges(), info.granule());
  }

  @Override
  Ioctl mapOperation() {
    return Ioctl.VFIO_IOMMU_MAP_DMA;
  }

  @Override
  Ioctl unmapOperation() {
    return Ioctl.VFIO_IOMMU_UNMAP_DMA;
  }

  @Override
  void requireMappable() {
    if (groups.isEmpty()) {
      throw new IllegalStateException(
          object + " has no group yet, so the kernel cannot map: open a device in it first");
    }
  }

  @Override
  int kernelMap(long address, long size, long iova, DmaAccess access) {
    int flags =
        (access.readable() ? vfio_h.VFIO_DMA_MAP_FLAG_READ : 0)
            | (access.writable() ? vfio_h.VFIO_DMA_MAP_FLAG_WRITE : 0);
    vfio_iommu_type1_dma_map.flags(mapRequest, flags);
    vfio_iommu_type1_dma_map.vaddr(mapRequest, address);
    vfio_iommu_type1_dma_map.iova(mapRequest, iova);
    vfio_iommu_type1_dma_map.size(mapRequest, size);
    return kernel.ioctl(fdNumber, Ioctl.VFIO_IOMMU_MAP_DMA.number(), mapRequest);
  }

  @Override
  int kernelUnmap(long iova, long size) {
    vfio_iommu_type1_dma_unmap.flags(unmapRequest, 0);
    vfio_iommu_type1_dma_unmap.iova(unmapRequest, iova);
    vfio_iommu_type1_dma_unmap.size(unmapRequest, size);
    int answer = kernel.ioctl(fdNumber, Ioctl.VFIO_IOMMU_UNMAP_DMA.number(), unmapRequest);
    if (answer < 0) {
      return unlessLost(answer);
    }
    if (vfio_iommu_type1_dma_unmap.size(unmapRequest) != size) {
      return -Errno.EIO.number();
    }
    return answer;
  }

  @Override
  int kernelUnmapAll() {
    vfio_iommu_type1_dma_unmap.flags(unmapRequest, vfio_h.VFIO_DMA_UNMAP_FLAG_ALL);
    vfio_iommu_type1_dma_unmap.iova(unmapRequest, 0);
    vfio_iommu_type1_dma_unmap.size(unmapRequest, 0);
    int answer = kernel.ioctl(fdNumber, Ioctl.VFIO_IOMMU_UNMAP_DMA.number(), unmapRequest);
    return answer < 0 ? unlessLost(answer) : answer;
  }

  /** Without a group the kernel has no mappings either, unless an iommufd has them. */
  private int unlessLost(int answer) {
    dropLostGroups();
    return groups.isEmpty() && (iommufd == null || !hasMappings()) ? 0 : answer;
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
    Iommufd underneath = iommufd;
    if (underneath == null) {
      super.close();
      return;
    }
    synchronized (underneath) {
      super.close();
      underneath.containers().remove(this);
    }
  }

  @Override
  boolean release(FirstFailure failure) {
    for (Group group : List.copyOf(groups.values()).reversed()) {
      failure.attempt(group::close);
    }
    groups.clear();
    if (iommufd != null) {
      failure.attempt(
          () -> forEachMapping((iova, size, memory, access) -> unmap(iova, size, failure)));
    }
    fd.release();
    int answer = fd.close();
    if (answer < 0) {
      failure.add(Failure.of("close", object, answer, ""));
    }
    return true;
  }

  /** Unmaps what an iommufd would keep when this file is closed, unless its IOAS is gone. */
  private void unmap(long iova, long size, FirstFailure failure) {
    int answer = kernelUnmap(iova, size);
    if (answer < 0 && answer != -Errno.ENODEV.number()) {
      failure.add(Failure.of(Ioctl.VFIO_IOMMU_UNMAP_DMA, object, answer));
    }
  }
}
