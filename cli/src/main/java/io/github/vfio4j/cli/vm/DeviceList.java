package io.github.vfio4j.cli.vm;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import io.github.vfio4j.sysfs.Sysfs;
import io.github.vfio4j.vmm.DeviceSetup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The devices of a machine that are not models, looked at before any is opened. */
final class DeviceList {
  private final Sysfs sysfs;
  private final CommandLine commandLine;
  private final Failures failures = new Failures();
  private final Map<String, DeviceSetup> setups = new LinkedHashMap<>();

  private DeviceList(Sysfs sysfs, CommandLine commandLine) {
    this.sysfs = sysfs;
    this.commandLine = commandLine;
  }

  /** Returns the setups of devices that can be had, as far as sysfs tells. */
  static List<DeviceSetup> of(Sysfs sysfs, List<DeviceOption> options, CommandLine commandLine)
      throws VfioException {
    DeviceList list = new DeviceList(sysfs, commandLine);
    for (DeviceOption option : options) {
      list.add(option);
    }
    list.failures.rethrow();
    return new ArrayList<>(list.setups.values());
  }

  private void add(DeviceOption option) {
    if (option.fd().isPresent()) {
      requireOpen(option.fd().getAsInt(), commandLine);
      enter(option.setup(option.fd().getAsInt()));
      return;
    }
    try {
      HostDevice device = DeviceName.find(sysfs, option.name(), commandLine);
      enter(option.setup(device));
      requireBound(device);
      requireNode(device, option);
    } catch (VfioException e) {
      failures.add(e);
    }
  }

  private void enter(DeviceSetup setup) {
    if (setups.put(setup.name(), setup) != null) {
      throw new ParameterException(commandLine, setup.name() + " is given twice");
    }
  }

  /** Refuses the number of a file that this process has not got. */
  static void requireOpen(int fd, CommandLine commandLine) {
    if (!Files.exists(Path.of("/proc/self/fd/" + fd))) {
      throw new ParameterException(commandLine, "fd=" + fd + " is not open in this process");
    }
  }

  private void requireBound(HostDevice device) throws VfioException {
    if (!device.hasVfioDriver()) {
      Optional<Finding> obstacle = Diagnosis.obstacle(sysfs, device);
      if (obstacle.isPresent()) {
        throw new DeviceNotBoundException(
            "open",
            device.name(),
            null,
            obstacle.get().seen() + obstacle.get().fix().map("; "::concat).orElse(""));
      }
    }
  }

  private static void requireNode(HostDevice device, DeviceOption option) throws VfioException {
    if (option.backend().equals(Optional.of(Backend.IOMMUFD)) && device.cdev().isEmpty()) {
      throw new UnsupportedByKernelException(
          "open",
          device.name(),
          null,
          "this kernel has no node for it in /dev/vfio/devices (Linux 6.6 with"
              + " CONFIG_VFIO_DEVICE_CDEV has them); iommufd=off does without");
    }
  }
}
