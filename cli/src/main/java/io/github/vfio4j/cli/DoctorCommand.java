package io.github.vfio4j.cli;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what stands between the user and an open device. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Checks every condition for opening a device, and says how to meet those not met.",
    description = "%nNothing is changed and no device is opened. Exit status 1: one is not met.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class DoctorCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "0..1",
      description = DeviceName.DESCRIPTION + " Without it, only the host is checked.")
  private @Nullable String name;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  DoctorCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    Optional<HostDevice> device =
        name == null
            ? Optional.empty()
            : Optional.of(DeviceName.find(host.sysfs(), name, spec.commandLine()));
    Optional<String> subject = device.map(HostDevice::name);
    Diagnosis diagnosis =
        device.isEmpty() ? Diagnosis.of(host.sysfs()) : Diagnosis.of(host.sysfs(), device.get());
    if (json) {
      Json.object()
          .with("device", subject)
          .with("ready", diagnosis.isReady())
          .with("way", diagnosis.way().map(Backend::toString))
          .with("findings", diagnosis.findings().stream().map(f -> json(f).map()).toList())
          .print(host.out());
    } else {
      table(diagnosis.findings()).lines().forEach(host.out()::println);
      host.out().println();
      host.out().println(verdict(diagnosis, subject));
    }
    return diagnosis.isReady() ? ExitStatus.DONE : ExitStatus.FAILED;
  }

  private static Json json(Finding finding) {
    return Json.object()
        .with("check", finding.check())
        .with("status", finding.status().name().toLowerCase(Locale.ROOT))
        .with("seen", finding.seen())
        .with("fix", finding.fix());
  }

  private static Table table(List<Finding> findings) {
    Table table = new Table("");
    for (Finding finding : findings) {
      table.add(mark(finding.status()), finding.check(), finding.seen());
      finding.fix().ifPresent(fix -> table.add("", "", "fix: " + fix));
    }
    return table;
  }

  private static String mark(Finding.Status status) {
    return switch (status) {
      case OK -> "ok";
      case WARNING -> "warning";
      case FAILED -> "FAILED";
      case SKIPPED -> "-";
    };
  }

  private static String verdict(Diagnosis diagnosis, Optional<String> subject) {
    String what = subject.orElse("A device");
    if (!diagnosis.isReady()) {
      long failed =
          diagnosis.findings().stream()
              .filter(finding -> finding.status() == Finding.Status.FAILED)
              .count();
      return what + " cannot be opened: " + failed + " to fix, from the top.";
    }
    return what
        + " can be opened"
        + diagnosis.way().map(way -> ", by " + way + ".").orElse(" once it is bound to vfio-pci.");
  }
}
