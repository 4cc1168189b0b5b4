package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_device_feature_bus_master;
import io.github.vfio4j.bindings.vfio_device_low_power_entry_with_wakeup;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_pci_dependent_device;
import io.github.vfio4j.bindings.vfio_pci_hot_reset;
import io.github.vfio4j.bindings.vfio_pci_hot_reset_info;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What the kernel does for a PCI device beyond regions and interrupts. */
public final class FakePci {
  private static final int AWAKE = -1;
  private static final int ASLEEP = -2;

  private record Reached(PciAddress address, int id) {}

  private final Kernel real;
  private final OpenFiles files;
  private final List<Reached> reached = new ArrayList<>();
  private int resets;

  /** Whether the device sleeps, or the eventfd that its waking up signals. */
  private int busMaster = -1;

  private int sleep = AWAKE;

  FakePci(Kernel real, OpenFiles files) {
    this.real = real;
    this.files = files;
  }

  /**
   * Has a hot reset reach a device.
   *
   * @param id its number in the iommufd, or that of its group
   */
  public FakePci reaches(PciAddress address, int id) {
    reached.add(new Reached(address, id));
    return this;
  }

  /** Returns how many hot resets were carried out. */
  public int resets() {
    return resets;
  }

  public boolean sleeps() {
    return sleep != AWAKE;
  }

  /** Wakes the device up as an access does. */
  public void touch() {
    if (sleep >= 0) {
      try (Arena arena = Arena.ofConfined()) {
        real.write(sleep, arena.allocateFrom(JAVA_LONG, 1));
      }
      sleep = AWAKE;
    }
  }

  /** Tells what a hot reset reaches, as to who has the device in an iommufd or in a group. */
  int info(MemorySegment request, boolean iommufd) {
    if (reached.isEmpty()) {
      return -Errno.ENOTTY.number();
    }
    vfio_pci_hot_reset_info.count(request, reached.size());
    long room = vfio_pci_hot_reset_info.argsz(request) - vfio_pci_hot_reset_info.SIZEOF;
    if (reached.size() > room / vfio_pci_dependent_device.SIZEOF) {
      return -Errno.ENOSPC.number();
    }
    vfio_pci_hot_reset_info.flags(request, iommufd ? vfio_h.VFIO_PCI_HOT_RESET_FLAG_DEV_ID : 0);
    for (int i = 0; i < reached.size(); i++) {
      MemorySegment entry = vfio_pci_hot_reset_info.devices(request, i);
      PciAddress address = reached.get(i).address;
      vfio_pci_dependent_device.devid(entry, reached.get(i).id);
      vfio_pci_dependent_device.segment(entry, (short) address.domain());
      vfio_pci_dependent_device.bus(entry, (byte) address.bus());
      vfio_pci_dependent_device.devfn(entry, (byte) (address.device() << 3 | address.function()));
    }
    return 0;
  }

  int reset(MemorySegment request, boolean iommufd) {
    int count = vfio_pci_hot_reset.count(request);
    if (iommufd != (count == 0)) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; i < count; i++) {
      if (!(files.get(vfio_pci_hot_reset.group_fds(request, i)) instanceof FakeGroup)) {
        return -Errno.EBADF.number();
      }
    }
    resets++;
    return 0;
  }

  /** Lets it be told whether it may do DMA as a device of another bus is, which it may not yet. */
  public void hasBusMaster() {
    busMaster = 0;
  }

  /** Returns what it was told so: 1 for yes, 0 for no. */
  public int busMaster() {
    return busMaster;
  }

  /** Lets the device sleep, and wakes it up; or lets it do DMA. */
  int feature(MemorySegment request) {
    int flags = vfio_device_feature.flags(request);
    int feature = flags & vfio_h.VFIO_DEVICE_FEATURE_MASK;
    boolean set = (flags & vfio_h.VFIO_DEVICE_FEATURE_SET) != 0;
    if (feature == vfio_h.VFIO_DEVICE_FEATURE_BUS_MASTER && set && busMaster >= 0) {
      busMaster = vfio_device_feature_bus_master.op(request.asSlice(vfio_device_feature.SIZEOF));
      return 0;
    }
    boolean known =
        feature == vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
            || feature == vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
            || feature == vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
    if (!known || !set || reached.isEmpty()) {
      return -Errno.ENOTTY.number();
    }
    if (feature == vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT) {
      sleep = AWAKE;
      return 0;
    }
    if (sleep != AWAKE) {
      return -Errno.EINVAL.number();
    }
    sleep =
        feature == vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
            ? ASLEEP
            : vfio_device_low_power_entry_with_wakeup.wakeup_eventfd(
                request.asSlice(vfio_device_feature.SIZEOF));
    return 0;
  }

  void closed() {
    sleep = AWAKE;
  }
}
