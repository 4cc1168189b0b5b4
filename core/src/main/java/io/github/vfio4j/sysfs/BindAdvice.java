package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.RunningUser;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What to do so that devices go to user programs. The command that binds is advised only for what
 * it can bind; and where the running system uses a device, with what would be lost.
 */
public final class BindAdvice {

  private static final String COMMAND = "vfio4j bind ";

  private final Sysfs sysfs;
  private final Set<String> modules = new LinkedHashSet<>();
  private final List<String> bindable = new ArrayList<>();
  private final List<String> others = new ArrayList<>();

  private BindAdvice(Sysfs sysfs) {
    this.sysfs = sysfs;
  }

  /**
   * Says how a device gets a VFIO driver.
   *
   * @param sysfs the host
   * @param device a device without one
   * @return what to do, in one line
   * @throws VfioException if sysfs cannot be read
   */
  public static String of(Sysfs sysfs, HostDevice device) throws VfioException {
    BindAdvice advice = new BindAdvice(sysfs);
    switch (device) {
      case PciDevice pci when pci.isBridge() -> advice.others.add("open the devices behind it");
      case PciDevice pci -> advice.add(pci);
      case MediatedDevice mediated ->
          advice.others.add(
              "load the driver of its parent, %s, and make it again".formatted(mediated.parent()));
      default -> advice.others.add("bind it to the VFIO driver of its bus");
    }
    return advice.toString();
  }

  /**
   * Says how a group becomes viable.
   *
   * @param sysfs the host
   * @param group the group
   * @param blockers those of its members that keep it from user programs
   * @return what to do, in one line
   * @throws VfioException if sysfs cannot be read
   */
  public static String of(Sysfs sysfs, IommuGroup group, List<IommuGroup.Member> blockers)
      throws VfioException {
    BindAdvice advice = new BindAdvice(sysfs);
    for (IommuGroup.Member blocker : blockers) {
      Optional<PciDevice> pci = advice.pciDevice(blocker.name());
      if (pci.isPresent() && !pci.get().isBridge()) {
        advice.add(pci.get());
      } else {
        advice.others.add(
            "echo %s %s /sys/kernel/iommu_groups/%d/devices/%s/driver/unbind"
                .formatted(
                    blocker.name(),
                    RunningUser.isRoot(sysfs.root()) ? ">" : "| sudo tee",
                    group.number(),
                    blocker.name()));
      }
    }
    return advice.toString();
  }

  private Optional<PciDevice> pciDevice(String name) throws VfioException {
    PciAddress address;
    try {
      address = PciAddress.of(name);
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // a device of another bus
    }
    return Optional.of(sysfs.device(address));
  }

  private void add(PciDevice device) throws VfioException {
    List<String> uses = sysfs.uses(device);
    if (uses.isEmpty()) {
      bindable.add(device.name());
    } else {
      others.add(
          "better leave %s alone, the running system would lose %s; or take it anyway: %s--force %s"
              .formatted(device.name(), String.join(", ", uses), COMMAND, device.name()));
    }
    String driver = DriverBinding.chosenDriver(override(device));
    if (!sysfs.isLoaded(driver)) {
      modules.add("modprobe " + driver);
    }
  }

  private Optional<String> override(PciDevice device) throws VfioException {
    try {
      return sysfs.driverOverride(device);
    } catch (DeviceBusyException e) {
      return Optional.empty(); // the kernel keeps it back while it binds or unbinds the device
    }
  }

  /** Returns the advice. */
  @Override
  public String toString() {
    List<String> all = new ArrayList<>(modules);
    if (!bindable.isEmpty()) {
      all.add(COMMAND + String.join(" ", bindable));
    }
    all.addAll(others);
    return String.join("; ", all);
  }
}
