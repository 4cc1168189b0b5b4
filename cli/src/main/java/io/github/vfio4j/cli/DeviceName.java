package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.Sysfs;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A device named on the command line. */
final class DeviceName {

  static final String DESCRIPTION =
      "A PCI address such as 0000:00:05.0 or 00:05.0, or the UUID of a mediated device.";

  private DeviceName() {}

  static HostDevice find(Sysfs sysfs, String name, CommandLine commandLine) throws VfioException {
    try {
      return sysfs.device(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(commandLine, e.getMessage(), e);
    }
  }
}
