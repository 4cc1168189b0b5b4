package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.exec.Identity;
import io.github.vfio4j.exec.Program;
import io.github.vfio4j.handover.OpenFile;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Becomes a program that inherits the open files of devices. */
@Command(
    name = "exec",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    customSynopsis =
        "vfio4j exec [--bind] --device=ADDRESS... [--user=NAME] [--memlock=SIZE] -- PROGRAM"
            + " [ARGUMENT...]",
    header = "Runs a program that gets devices as open files, and needs no privileges for them.",
    description = {
      "%nOpens the devices, becomes the user and then the program, which inherits the files. In its"
          + " arguments {cdev}, {group} and {iommufd} stand for their numbers; of several devices"
          + " {cdev0}, {cdev1} and so on, in the order in which they were given.",
      "%nFor example, QEMU with a device, as an ordinary user:",
      "%n  vfio4j exec --device 00:05.0 --user me --memlock 1G -- qemu-system-x86_64 -accel kvm -m 512"
          + " -object iommufd,id=iommu,fd={iommufd} -device"
          + " vfio-pci,id=edu,fd={cdev},iommufd=iommu ..."
    },
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ExecCommand implements Callable<Integer> {

  /** Undoes one step. */
  @FunctionalInterface
  private interface Undo {
    void run() throws VfioException;
  }

  private final CommandHost host;
  private final PrintWriter err;

  @Option(
      names = "--device",
      paramLabel = "ADDRESS",
      arity = "1..*",
      required = true,
      description = DeviceName.DESCRIPTION)
  private List<String> names = List.of();

  @Option(names = "--bind", description = "Bind PCI devices to vfio-pci first; they stay bound.")
  private boolean bind;

  @Option(
      names = "--user",
      paramLabel = "NAME",
      description =
          "Whom the program runs as, with the groups of that user. What the devices pin then counts"
              + " against the limit of the program alone.")
  private @Nullable String user;

  @Option(
      names = "--memlock",
      paramLabel = "SIZE",
      description =
          "How much memory the program may lock: all that its devices may reach, such as the memory"
              + " of a guest. In bytes, or with K, M or G behind it, or 'unlimited'.")
  private @Nullable String memlock;

  @Parameters(
      paramLabel = "PROGRAM",
      arity = "1..*",
      description = "The program, looked for in the PATH, and its arguments.")
  private List<String> command = List.of();

  @Spec private CommandSpec spec = CommandSpec.create();

  ExecCommand(CommandHost host, PrintWriter err) {
    this.host = host;
    this.err = err;
  }

  @Override
  public Integer call() throws VfioException {
    CommandLine commandLine = spec.commandLine();
    List<String> devices = List.copyOf(new LinkedHashSet<>(names));
    CommandTemplate template;
    OptionalLong limit;
    try {
      template = CommandTemplate.of(command, devices.size());
      limit = memlock == null ? OptionalLong.empty() : OptionalLong.of(size(memlock));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(commandLine, String.valueOf(e.getMessage()), e);
    }
    new Program(command).requireThere(path());
    Optional<Identity> identity =
        user == null ? Optional.empty() : Optional.of(UserAccount.find(user));
    Failures failures = new Failures();
    List<HostDevice> found = DeviceName.find(host.sysfs(), devices, commandLine, failures);
    failures.rethrow();
    run(template, found, identity, limit);
    throw new IllegalStateException("this process should be " + command.getFirst());
  }

  private static String path() {
    String path = System.getenv("PATH");
    return path == null ? "/usr/bin:/bin" : path;
  }

  static long size(String text) {
    if (text.equals("unlimited")) {
      return Long.MAX_VALUE;
    }
    return Size.parse(text)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'"
                        + text
                        + "' is no amount of memory: write a number, with K, M or G, or"
                        + " 'unlimited'"));
  }

  /** Becomes the program, or undoes all that was done, whatever was thrown. */
  private void run(
      CommandTemplate template,
      List<HostDevice> devices,
      Optional<Identity> identity,
      OptionalLong limit)
      throws VfioException {
    Deque<Undo> undoing = new ArrayDeque<>();
    try {
      List<HostDevice> ready = new ArrayList<>();
      for (HostDevice device : devices) {
        ready.add(bind ? bound(device, undoing) : device);
      }
      Map<String, Integer> numbers = open(template, ready, identity.isPresent(), undoing);
      host.out().flush();
      err.flush();
      new Program(template.fill(numbers)).become(List.copyOf(numbers.values()), identity, limit);
    } catch (VfioException | RuntimeException | Error failure) {
      undo(undoing, failure);
      throw failure;
    }
  }

  private static void undo(Deque<Undo> undoing, Throwable failure) {
    for (Undo step : undoing) {
      try {
        step.run();
      } catch (VfioException | RuntimeException | Error e) {
        failure.addSuppressed(e);
      }
    }
  }

  private HostDevice bound(HostDevice device, Deque<Undo> undoing) throws VfioException {
    Interruption.check("bind", device.name());
    if (!(device instanceof PciDevice pci) || device.hasVfioDriver()) {
      return device;
    }
    DriverBinding binding = DriverBinding.bind(host.sysfs(), pci.address());
    undoing.push(binding::restore);
    return binding.device();
  }

  /** Opens what the command takes, each by the name that it has there. */
  private static Map<String, Integer> open(
      CommandTemplate template, List<HostDevice> devices, boolean another, Deque<Undo> undoing)
      throws VfioException {
    Map<String, Integer> numbers = new LinkedHashMap<>();
    if (template.takes(CommandTemplate.IOMMUFD)) {
      Iommufd iommufd = Iommufd.open();
      undoing.push(iommufd::close);
      if (another) {
        iommufd.setRlimitMode(RlimitMode.PROCESS);
      }
      enter(CommandTemplate.IOMMUFD, OpenFile.of(iommufd), numbers, undoing);
    }
    for (int i = 0; i < devices.size(); i++) {
      HostDevice device = devices.get(i);
      if (template.takes(CommandTemplate.CDEV + i)) {
        UnboundDevice node = UnboundDevice.open(device);
        undoing.push(node::close);
        enter(CommandTemplate.CDEV + i, OpenFile.of(node), numbers, undoing);
      } else {
        enter(CommandTemplate.GROUP + i, OpenFile.openGroup(device), numbers, undoing);
      }
    }
    return numbers;
  }

  private static void enter(
      String name, OpenFile file, Map<String, Integer> numbers, Deque<Undo> undoing) {
    undoing.push(file::close);
    numbers.put(name, file.fd());
  }
}
