package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_detach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An open device, of either interface: what it is attached to, and the way to its hardware. */
final class FakeDevice extends FakeFile {
  private static final int NO_PASID = 0;

  private final OpenFiles files;
  private final FakeRegions regions;
  private final FakeInterrupts interrupts;
  private final FakePci pci;
  private final FakeIoEvents ioEvents;
  private final FakeDisplay display;
  private final FakeMigration migration;

  /** What the device and its PASIDs are attached to. */
  private final Map<Integer, FakeObject> attached = new TreeMap<>();

  private @Nullable FakeIommufd iommufd;
  private Runnable ending = () -> {};

  FakeDevice(
      OpenFiles files,
      FakeRegions regions,
      FakeInterrupts interrupts,
      FakePci pci,
      FakeIoEvents ioEvents,
      FakeDisplay display,
      FakeMigration migration) {
    super("VFIO_DEVICE_");
    this.files = files;
    this.regions = regions;
    this.interrupts = interrupts;
    this.pci = pci;
    this.ioEvents = ioEvents;
    this.display = display;
    this.migration = migration;
  }

  /** Has something undone when it is closed. */
  void endWith(Runnable undo) {
    ending = undo;
  }

  @Override
  int ioctl(Ioctl operation, long argument) {
    return operation == Ioctl.VFIO_DEVICE_RESET ? migration.reset() : refused(Errno.ENOTTY);
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    return switch (operation) {
      case VFIO_DEVICE_GET_INFO -> {
        vfio_device_info.flags(argument, vfio_h.VFIO_DEVICE_FLAGS_PCI);
        vfio_device_info.num_regions(argument, regions.count());
        vfio_device_info.num_irqs(argument, FakeInterrupts.KINDS);
        yield 0;
      }
      case VFIO_DEVICE_GET_REGION_INFO -> regions.info(argument);
      case VFIO_DEVICE_GET_IRQ_INFO -> interrupts.info(argument);
      case VFIO_DEVICE_SET_IRQS -> interrupts.set(argument, files);
      case VFIO_DEVICE_IOEVENTFD -> ioEvents.set(argument, files);
      case VFIO_DEVICE_BIND_IOMMUFD -> bind(argument);
      case VFIO_DEVICE_ATTACH_IOMMUFD_PT -> attach(argument);
      case VFIO_DEVICE_FEATURE -> feature(argument);
      case VFIO_DEVICE_QUERY_GFX_PLANE -> display.query(argument);
      case VFIO_DEVICE_GET_GFX_DMABUF -> files.open(new FakeDmaBuf(regions), "dma-buf", null);
      case VFIO_DEVICE_DETACH_IOMMUFD_PT -> {
        boolean pasid =
            (vfio_device_detach_iommufd_pt.flags(argument) & vfio_h.VFIO_DEVICE_DETACH_PASID) != 0;
        detach(pasid ? vfio_device_detach_iommufd_pt.pasid(argument) : NO_PASID);
        yield 0;
      }
      case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO -> pci.info(argument, iommufd != null);
      case VFIO_DEVICE_PCI_HOT_RESET -> pci.reset(argument, iommufd != null);
      default -> refused(Errno.ENOTTY);
    };
  }

  /** Makes files of its regions, and has the features of a PCI device or of one that migrates. */
  private int feature(MemorySegment request) {
    int flags = vfio_device_feature.flags(request);
    if ((flags & vfio_h.VFIO_DEVICE_FEATURE_MASK) != vfio_h.VFIO_DEVICE_FEATURE_DMA_BUF) {
      int answer = pci.feature(request);
      return answer == refused(Errno.ENOTTY) ? migration.feature(request, files) : answer;
    }
    return (flags & vfio_h.VFIO_DEVICE_FEATURE_PROBE) != 0
        ? 0
        : files.open(new FakeDmaBuf(regions), "dma-buf", null);
  }

  private int bind(MemorySegment request) {
    FakeFile file = files.get(vfio_device_bind_iommufd.iommufd(request));
    if (!(file instanceof FakeIommufd bound) || iommufd != null) {
      return refused(Errno.EINVAL);
    }
    iommufd = bound;
    vfio_device_bind_iommufd.out_devid(request, bound.objects().nextId());
    return 0;
  }

  private int attach(MemorySegment request) {
    if (iommufd == null) {
      return refused(Errno.EINVAL);
    }
    FakeObject table = iommufd.objects().get(vfio_device_attach_iommufd_pt.pt_id(request));
    if (table == null) {
      return refused(Errno.ENOENT);
    }
    boolean pasid =
        (vfio_device_attach_iommufd_pt.flags(request) & vfio_h.VFIO_DEVICE_ATTACH_PASID) != 0;
    int who = pasid ? vfio_device_attach_iommufd_pt.pasid(request) : NO_PASID;
    int answer = table.attach();
    if (answer < 0) {
      return answer;
    }
    detach(who);
    attached.put(who, table);
    return 0;
  }

  private void detach(int pasid) {
    FakeObject former = attached.remove(pasid);
    if (former != null) {
      former.detach();
    }
  }

  @Override
  long pread(MemorySegment buffer, long offset) {
    return regions.read(buffer, offset);
  }

  @Override
  long pwrite(MemorySegment buffer, long offset) {
    return regions.write(buffer, offset);
  }

  @Override
  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return regions.map(address, length, protection, flags, offset);
  }

  @Override
  void closed() {
    attached.values().forEach(FakeObject::detach);
    attached.clear();
    interrupts.closed();
    pci.closed();
    ioEvents.closed();
    ending.run();
  }
}
