package io.github.vfio4j.cli.host;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A device named on the command line. */
public final class DeviceName {

  public static final String DESCRIPTION =
      "PCI addresses such as 0000:00:05.0 or 00:05.0, or UUIDs of mediated devices.";

  public static final String DESCRIPTION_OF_ONE =
      "A PCI address such as 0000:00:05.0 or 00:05.0, or the UUID of a mediated device.";

  private DeviceName() {}

  /**
   * Finds devices. A name that cannot be one is wrong usage, whatever the others are; a device that
   * is not there is added to the failures.
   */
  public static List<HostDevice> find(
      Sysfs sysfs, List<String> names, CommandLine commandLine, Failures failures) {
    List<HostDevice> devices = new ArrayList<>();
    for (String name : names) {
      try {
        devices.add(find(sysfs, name, commandLine));
      } catch (VfioException e) {
        failures.add(e);
      }
    }
    return devices;
  }

  /** Finds one device. */
  public static HostDevice find(Sysfs sysfs, String name, CommandLine commandLine)
      throws VfioException {
    try {
      return sysfs.device(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(commandLine, e.getMessage(), e);
    }
  }
}
