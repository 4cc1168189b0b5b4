package io.github.vfio4j.pci;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/**
 * A device that a {@link HotReset} reaches: {@code struct vfio_pci_dependent_device}, and what
 * sysfs adds to it.
 *
 * @param address where it sits
 * @param driver its driver, if it has one
 * @param owner who has it
 * @param words who that is, as the end of a sentence about it
 */
public record DependentDevice(
    PciAddress address, Optional<String> driver, Owner owner, String words) {
  /** Who has a device. */
  public enum Owner {
    /**
     * This process, through the iommufd or the container of the device that is to be reset; or it
     * has another device of the same group so, and nobody else can get this one.
     */
    THIS_PROCESS,

    /** A user program: another, or this one through another iommufd or container. */
    OTHER_USER,

    /**
     * Nobody can prove to have it: it is a virtual function (SR-IOV), and the kernel does not reset
     * a slot or bus that has such. They have to end first.
     */
    UNPROVABLE,

    /** A driver of the kernel's own. */
    KERNEL,

    /** Nobody: it is not open, or has no driver. */
    NOBODY
  }

  private static final String OURSELVES = "process " + ProcessHandle.current().pid() + " ";

  /** Looks at a device of which the kernel has told whether this process can prove to have it. */
  static DependentDevice of(Sysfs sysfs, PciAddress address, boolean proven) throws VfioException {
    PciDevice device;
    try {
      device = sysfs.device(address);
    } catch (NoSuchDeviceException e) {
      return new DependentDevice(address, Optional.empty(), Owner.NOBODY, "is not in sysfs");
    }
    Optional<String> driver = device.driver();
    if (sysfs.physicalFunction(device).isPresent()) {
      String words = "is a virtual function, and the kernel resets no bus that has such: end it";
      return new DependentDevice(address, driver, Owner.UNPROVABLE, words);
    }
    if (driver.isEmpty()) {
      return new DependentDevice(address, driver, Owner.NOBODY, "has no driver: bind it, too");
    }
    if (!device.hasVfioDriver()) {
      String words = "has the driver " + driver.get() + ", which is no VFIO driver";
      return new DependentDevice(address, driver, Owner.KERNEL, words);
    }
    if (proven) {
      return new DependentDevice(address, driver, Owner.THIS_PROCESS, "is this process's");
    }
    Optional<String> holder = sysfs.holder(device);
    if (holder.isPresent()) {
      String words = "is open: " + words(holder.get());
      return new DependentDevice(address, driver, Owner.OTHER_USER, words);
    }
    return new DependentDevice(
        address,
        driver,
        Owner.NOBODY,
        "is open nowhere: open it in the same iommufd or container, too");
  }

  private static String words(String holder) {
    return holder.startsWith(OURSELVES)
        ? "this process has it, through another iommufd or container"
        : holder;
  }

  /** Returns the address and who has the device. */
  @Override
  public String toString() {
    return address + " " + words;
  }
}
