package io.github.vfio4j.cli;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sriov;
import io.github.vfio4j.sysfs.WhenInUse;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists, makes and ends virtual functions. */
@Command(
    name = "vf",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Lists, makes and ends the virtual functions of a device (SR-IOV).",
    description =
        "%nThe driver of the physical function makes them. Those of vfio-pci, which needs its option"
            + " enable_sriov=1 for it, are bound to vfio-pci, too, and open with a VF token:"
            + " --create sets the one of --vf-token, for which it opens the physical function.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class VfCommand implements Callable<Integer> {

  private final CommandHost host;
  private final TokenSetter setter;

  @Parameters(
      paramLabel = "ADDRESS",
      description = "PCI address of the physical function, such as 0000:01:00.0 or 01:00.0.")
  private PciAddress address = new PciAddress(0, 0, 0, 0);

  @ArgGroup private @Nullable Change change;

  @Option(names = "--force", description = "End also those that the running system uses.")
  private boolean force;

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** What is to be done, at most one of both. */
  private static final class Change {
    @Option(
        names = "--create",
        paramLabel = "N",
        description = "Make N virtual functions, where there are none yet.")
    private int number;

    @Option(names = "--destroy", description = "End all of them.")
    private boolean destroy;
  }

  /** Opens a physical function, and sets the token of its virtual ones. */
  @FunctionalInterface
  interface TokenSetter {
    void set(HostDevice physical, UUID token) throws VfioException;
  }

  VfCommand(CommandHost host) {
    this(host, VfCommand::set);
  }

  VfCommand(CommandHost host, TokenSetter setter) {
    this.host = host;
    this.setter = setter;
  }

  private static void set(HostDevice physical, UUID token) throws VfioException {
    try (VfioDevice opened = VfioDevice.open(physical)) {
      VfToken.set(opened, token);
    }
  }

  @Override
  public Integer call() throws VfioException {
    if (token.token().isPresent() && (change == null || change.destroy)) {
      throw new ParameterException(spec.commandLine(), "--vf-token is for --create");
    }
    PciDevice device = host.sysfs().device(address);
    Sriov sriov =
        Sriov.of(host.sysfs(), device)
            .orElseThrow(
                () ->
                    new UnsupportedByKernelException(
                        "read virtual functions",
                        device.name(),
                        null,
                        "it is no physical function with SR-IOV, or this kernel is without it"));
    List<PciDevice> ended = List.of();
    if (change != null && change.destroy) {
      ended = sriov.destroy(force ? WhenInUse.TAKE : WhenInUse.REFUSE);
    } else if (change != null) {
      create(sriov, change.number);
    }
    List<PciDevice> functions = sriov.functions();
    if (json) {
      Json.object()
          .with("name", device.name())
          .with("limit", sriov.limit())
          .with("ended", ended.stream().map(PciDevice::name).toList())
          .with("functions", functions.stream().map(VfCommand::json).map(Json::map).toList())
          .print(host.out());
    } else {
      print(sriov, functions, ended);
    }
    return ExitStatus.DONE;
  }

  /** The kernel keeps the token when the physical function is closed. */
  private void create(Sriov sriov, int number) throws VfioException {
    boolean possible = number >= 1 && number <= sriov.limit() && sriov.functions().isEmpty();
    if (possible && token.token().isPresent()) {
      setter.set(sriov.physical(), token.token().get());
    }
    try {
      sriov.create(number);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private void print(Sriov sriov, List<PciDevice> functions, List<PciDevice> ended)
      throws VfioException {
    ended.forEach(function -> host.out().println(function.name() + "  has ended"));
    host.out()
        .println(
            "%s has %d of %d virtual functions"
                .formatted(sriov.physical().name(), functions.size(), sriov.limit()));
    Table table = new Table("  ", 0);
    if (!functions.isEmpty()) {
      table.add("NUMBER", "ADDRESS", "DRIVER", "CDEV", "GROUP");
    }
    for (int number = 0; number < functions.size(); number++) {
      PciDevice function = functions.get(number);
      OptionalInt group = function.iommuGroup();
      table.add(
          "" + number,
          function.name(),
          function.driver().orElse("-"),
          function.cdev().map(DeviceNode::name).orElse("-"),
          group.isPresent() ? "" + group.getAsInt() : "-");
    }
    table.lines().forEach(host.out()::println);
  }

  private static Json json(PciDevice function) {
    return Json.object()
        .with("name", function.name())
        .with("driver", function.driver())
        .with("iommuGroup", function.iommuGroup())
        .with("cdev", function.cdev().map(DeviceNode::path).map(String::valueOf));
  }
}
