package io.github.vfio4j.cli.host;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The token that devices open with whose physical function a user program has. */
public final class VfTokenOption {

  private static final String NAME = "--vf-token";

  @Option(
      names = NAME,
      paramLabel = "UUID",
      description =
          "What the device opens with: a virtual function whose physical one is bound to vfio-pci,"
              + " or a physical one while a virtual one is in use.")
  private @Nullable UUID token;

  /** Returns the token, if one is given. */
  public Optional<UUID> token() {
    return Optional.ofNullable(token);
  }

  /** Returns a device that opens with the token, if there is one. */
  public HostDevice with(HostDevice device, CommandLine commandLine) {
    if (token == null) {
      return device;
    }
    if (device instanceof PciDevice pci) {
      return pci.withVfToken(token);
    }
    throw new ParameterException(
        commandLine, "%s takes no %s: only PCI devices do".formatted(device.name(), NAME));
  }

  /** Returns devices that open with the token, if there is one. */
  public List<HostDevice> with(List<HostDevice> devices, CommandLine commandLine) {
    return devices.stream().map(device -> with(device, commandLine)).toList();
  }
}
