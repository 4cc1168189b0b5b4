package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_detach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a device and its PASIDs are attached to. Guarded by the monitor of the iommufd, except for
 * {@link #ofDevice}.
 */
final class Attachments {
  /** Stands for requests without a PASID. */
  private static final int NO_PASID = 0;

  private final Iommufd iommufd;
  private final DeviceFile device;
  private final Map<Integer, PageTable> pasids = new TreeMap<>();
  private volatile @Nullable PageTable attached;
  private int hwptId;

  Attachments(Iommufd iommufd, DeviceFile device) {
    this.iommufd = iommufd;
    this.device = device;
  }

  /** Returns what the device is attached to; may be called from any thread. */
  @Nullable PageTable ofDevice() {
    return attached;
  }

  @Nullable PageTable ofPasid(int pasid) {
    return pasids.get(pasid);
  }

  boolean anyMatch(Predicate<PageTable> such) {
    return (attached != null && such.test(attached)) || pasids.values().stream().anyMatch(such);
  }

  OptionalInt hwptId() {
    return attached == null ? OptionalInt.empty() : OptionalInt.of(hwptId);
  }

  /** Takes note of what another process has attached the device to. */
  void takeOver(PageTable table, int hwpt) {
    hwptId = hwpt;
    attached = table;
  }

  boolean hasPasids() {
    return !pasids.isEmpty();
  }

  void attach(PageTable table) throws VfioException {
    hwptId = attach(table, NO_PASID, attached, device.name());
    attached = table;
  }

  void attach(PageTable table, int pasid) throws VfioException {
    String who = "PASID " + pasid + " of " + device.name();
    PageTable former = pasids.get(pasid);
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> record(pasid, former));
      record(pasid, table);
      attach(table, pasid, former, who);
      rollback.done(table);
    }
  }

  private void record(int pasid, @Nullable PageTable table) {
    if (table == null) {
      pasids.remove(pasid);
    } else {
      pasids.put(pasid, table);
    }
  }

  /** Attaches, and reads the ranges that this has changed, or leaves it as it was. */
  private int attach(PageTable table, int pasid, @Nullable PageTable former, String who)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      int id =
          rollback.make(
              () -> attachIoctl(table, pasid, who),
              made -> {
                if (former == null) {
                  detachIoctl(pasid);
                } else {
                  attachIoctl(former, pasid, who);
                }
              });
      refreshRanges(table);
      refreshRanges(former);
      return rollback.done(id);
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

  /** Attaches, and returns the number of the page table in use. */
  private int attachIoctl(PageTable table, int pasid, String who) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      // older kernels know the structure without its last field; newer ones take the short form
      MemorySegment request =
          Request.of(
              arena,
              vfio_device_attach_iommufd_pt.LAYOUT,
              pasid == NO_PASID
                  ? vfio_device_attach_iommufd_pt.pasid$OFFSET
                  : vfio_device_attach_iommufd_pt.SIZEOF);
      vfio_device_attach_iommufd_pt.pt_id(request, table.id());
      if (pasid != NO_PASID) {
        vfio_device_attach_iommufd_pt.flags(request, vfio_h.VFIO_DEVICE_ATTACH_PASID);
        vfio_device_attach_iommufd_pt.pasid(request, pasid);
      }
      int answer = device.ask(Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, request);
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
    VfioException notPinned =
        Pinning.failure(iommufd.kernel(), Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, object, answer);
    if (notPinned != null) {
      return notPinned;
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
    return Answer.failure(Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, object, answer, meaning);
  }

  void detach() throws VfioException {
    PageTable former = attached;
    if (former != null) {
      detachIoctl(NO_PASID);
      attached = null;
      refreshRanges(former);
    }
  }

  void detach(int pasid) throws VfioException {
    PageTable former = pasids.get(pasid);
    if (former != null) {
      detachIoctl(pasid);
      pasids.remove(pasid);
      refreshRanges(former);
    }
  }

  void detachAll(Closing closing) {
    for (int pasid : List.copyOf(pasids.keySet())) {
      closing.attempt(() -> detach(pasid));
    }
    closing.attempt(this::detach);
  }

  private void detachIoctl(int pasid) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          Request.of(
              arena,
              vfio_device_detach_iommufd_pt.LAYOUT,
              pasid == NO_PASID
                  ? vfio_device_detach_iommufd_pt.pasid$OFFSET
                  : vfio_device_detach_iommufd_pt.SIZEOF);
      if (pasid != NO_PASID) {
        vfio_device_detach_iommufd_pt.flags(request, vfio_h.VFIO_DEVICE_DETACH_PASID);
        vfio_device_detach_iommufd_pt.pasid(request, pasid);
      }
      Answer.require(
          Ioctl.VFIO_DEVICE_DETACH_IOMMUFD_PT,
          device.name(),
          device.ask(Ioctl.VFIO_DEVICE_DETACH_IOMMUFD_PT, request));
    }
  }
}
