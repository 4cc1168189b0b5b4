package io.github.vfio4j.cli.vm;

import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.WholeFile;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs a virtual machine in this process. */
@Command(
    name = "vm",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    customSynopsis =
        "vfio4j vm --kernel=FILE [--initrd=FILE] [--append=TEXT] [--memory=SIZE] [--cpus=NUMBER]%n"
            + "          [--device=ADDRESS[,iommufd=on|off][,slot=N][,unmapped=BAR[+BAR...]]%n"
            + "                   [,barN=ADDRESS]...]...%n"
            + "          [--device=fd=N[,slot=N][,unmapped=BAR[+BAR...]][,barN=ADDRESS]...]...%n"
            + "          [--iommufd-fd=N] [--model=edu[,slot=N]]...%n"
            + "          [--model=nvme[,size=SIZE][,slot=N]]... [--no-reboot] [--api=SOCKET]",
    header = "Runs a virtual machine on KVM that gets devices, and models of devices.",
    description = {
      "%nBoots Linux for x86. Its serial port, ttyS0, is the standard output; the standard input is"
          + " typed there. Where that is a terminal, each key goes to the guest: Ctrl-A x ends the"
          + " machine, Ctrl-A Ctrl-A types a Ctrl-A.",
      "%nThe devices have to be bound to a VFIO driver, see 'vfio4j help bind'. Each comes into a slot"
          + " of the guest's PCI bus. For example, a disk, and a model of another one:",
      "%n  vfio4j vm --kernel bzImage --initrd initrd --device 02:00.0 --model nvme,size=1G",
      "%nExit status 0: the guest has turned the machine off, or Ctrl-A x has; 8, with --no-reboot:"
          + " it has asked for a reset, or has failed so that a real machine would begin anew."
    },
    optionListHeading = "%nOptions:%n")
public final class VmCommand implements Callable<Integer> {
  private final CommandHost host;
  private final PrintWriter err;
  private final MachineHost machineHost;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      required = true,
      description = "Linux, packed (a bzImage) or not (a vmlinux).")
  private Path kernel = Path.of("");

  @Option(
      names = "--initrd",
      paramLabel = "FILE",
      description = "Its first files, a cpio archive, compressed or not.")
  private @Nullable Path initrd;

  @Option(
      names = "--append",
      paramLabel = "TEXT",
      description = "The kernel's command line (default: ${DEFAULT-VALUE}).")
  private String append = "console=ttyS0";

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "How much it has, 32M at least: with K, M or G behind the number, else bytes (default:"
              + " ${DEFAULT-VALUE}).")
  private String memory = "256M";

  @Option(
      names = "--cpus",
      paramLabel = "NUMBER",
      description = "How many processors, 1 to 8 (default: ${DEFAULT-VALUE}).")
  private int processors = 1;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = {
        "A PCI address such as 0000:00:05.0 or 00:05.0, or the UUID of a mediated device; or fd=N:"
            + " its own node, which somebody else has opened and this process has inherited. With"
            + " commas behind it:",
        "iommufd=on|off: by its own node, or by its group and a container; by its node, where it has"
            + " one, if nothing is said.",
        "slot=N: which slot of the guest's bus, 1 to 31; else the first that is free.",
        "unmapped=BAR[+BAR...]: that these BARs are not mapped for the guest: each access stops its"
            + " processor, and is done for it.",
        "barN=ADDRESS: where the guest finds BAR N from power-on on, such as bar0=0xd0000000; else it"
            + " chooses."
      })
  private List<String> devices = List.of();

  @Option(
      names = "--iommufd-fd",
      paramLabel = "N",
      description = "An open /dev/iommu that this process has inherited; else it opens one.")
  private @Nullable Integer iommufd;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "A device written in Java: edu, QEMU's to learn from, or nvme, a disk in memory of size=SIZE"
              + " (64M). slot=N as above.")
  private List<String> models = List.of();

  @Option(
      names = "--no-reboot",
      description = "End when the guest asks for a reset, with exit status 8; else it begins anew.")
  private boolean noReboot;

  @Option(
      names = "--api",
      paramLabel = "SOCKET",
      description = "Make a UNIX socket, for 'vfio4j tell' to give the machine orders by.")
  private @Nullable Path api;

  @Spec private CommandSpec spec = CommandSpec.create();

  /**
   * Makes the command for machines in this process.
   *
   * @param err where it is said how a terminal ends a machine, and that a guest asks for a reset
   */
  public VmCommand(CommandHost host, PrintWriter err) {
    this(host, err, MachineHost.running());
  }

  VmCommand(CommandHost host, PrintWriter err, MachineHost machineHost) {
    this.host = host;
    this.err = err;
    this.machineHost = machineHost;
  }

  @Override
  public Integer call() throws IOException {
    MachineSetup setup;
    List<DeviceOption> wanted;
    List<ModelOption> modelled;
    try {
      setup = setup();
      wanted = devices.stream().map(DeviceOption::parse).toList();
      modelled = models.stream().map(ModelOption::parse).toList();
      requireSlots(wanted, modelled);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    if (iommufd != null) {
      DeviceList.requireOpen(iommufd, spec.commandLine());
      setup = setup.iommufd(iommufd);
    }
    WholeFile.read(kernel).close();
    if (initrd != null) {
      WholeFile.read(initrd).close();
    }
    List<DeviceSetup> found = DeviceList.of(host.sysfs(), wanted, spec.commandLine());
    machineHost.requireKvm();
    try (Models made = new Models()) {
      // what is to have a certain slot comes first, or another device would take it
      List<DeviceSetup> placed = new ArrayList<>();
      List<DeviceSetup> others = new ArrayList<>();
      for (int i = 0; i < found.size(); i++) {
        (wanted.get(i).slot() == 0 ? others : placed).add(found.get(i));
      }
      for (ModelOption model : modelled) {
        (model.slot() == 0 ? others : placed).add(made.add(model));
      }
      placed.addAll(others);
      for (DeviceSetup device : placed) {
        setup = setup.device(device);
      }
      return MachineRun.of(machineHost, setup, orders(), err);
    }
  }

  private MachineRun.@Nullable Api orders() {
    Path socket = api;
    return socket == null
        ? null
        : new MachineRun.Api(socket, new Orders(host.sysfs(), spec.commandLine()));
  }

  private MachineSetup setup() {
    long bytes =
        Size.parse(memory)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'" + memory + "' is no amount of memory: write a number, with K, M or G"));
    MachineSetup setup =
        MachineSetup.of(kernel).commandLine(append).memory(bytes).processors(processors);
    if (noReboot) {
      setup = setup.endingOnReset();
    }
    return initrd == null ? setup : setup.initrd(initrd);
  }

  /** Refuses two devices in a slot. */
  private static void requireSlots(List<DeviceOption> wanted, List<ModelOption> modelled) {
    Map<Integer, String> taken = new HashMap<>();
    wanted.forEach(option -> take(option.slot(), option.name(), taken));
    modelled.forEach(option -> take(option.slot(), option.kind().toString(), taken));
  }

  private static void take(int slot, String name, Map<Integer, String> taken) {
    String other = slot == 0 ? null : taken.put(slot, name);
    if (other != null) {
      throw new IllegalArgumentException(
          "slot %d cannot have both %s and %s".formatted(slot, other, name));
    }
  }
}
