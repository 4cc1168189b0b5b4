package io.github.vfio4j.cli.demo;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Moves real bytes through QEMU's edu device, on both of the kernel's interfaces. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Moves bytes through QEMU's edu device and back, on both interfaces of the kernel.",
    description =
        "%nTakes the device from its driver for that, and gives it back. Exit status 0: every byte"
            + " matched on both; 7: it did where it ran, but this kernel lacks an interface.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
public final class DemoCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "0..1",
      description = "The PCI address of an edu device; without it, the first one is taken.")
  private @Nullable PciAddress address;

  @Option(
      names = "--nested",
      description =
          "Go through two page tables instead, a guest's nested on the host's, where the IOMMU is"
              + " an SMMUv3. Exit status 0: every byte matched.")
  private boolean nested;

  public DemoCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    PciDevice device = device();
    return nested ? new NestedDemo(host).run(device) : new Demo(host).run(device);
  }

  private PciDevice device() throws VfioException {
    if (address == null) {
      return host.sysfs().pciDevices().stream()
          .filter(Edu::matches)
          .findFirst()
          .orElseThrow(
              () ->
                  new NoSuchDeviceException(
                      "find an edu device",
                      "the PCI bus",
                      null,
                      "there is none; QEMU makes one with -device edu, and lab/demo boots such a"
                          + " machine"));
    }
    PciDevice device = host.sysfs().device(address);
    if (!Edu.matches(device)) {
      throw new NoSuchDeviceException(
          "use", device.name(), null, "it is no edu device (1234:11e8)");
    }
    return device;
  }
}
