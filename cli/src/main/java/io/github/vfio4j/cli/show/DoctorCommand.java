package io.github.vfio4j.cli.show;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Paragraphs;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
public final class DoctorCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "0..*",
      description = DeviceName.DESCRIPTION + " Without any, only the host is checked.")
  private List<String> names = List.of();

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  public DoctorCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    Failures failures = new Failures();
    List<Checked> checked = new ArrayList<>();
    CommandLine commandLine = spec.commandLine();
    List<HostDevice> found = DeviceName.find(host.sysfs(), names, commandLine, failures);
    for (HostDevice device : token.with(found, commandLine)) {
      try {
        checked.add(new Checked(Optional.of(device.name()), Diagnosis.of(host.sysfs(), device)));
      } catch (VfioException e) {
        failures.add(e);
      }
    }
    if (names.isEmpty()) {
      checked.add(new Checked(Optional.empty(), Diagnosis.of(host.sysfs())));
    }
    print(checked);
    failures.rethrow();
    return checked.stream().allMatch(each -> each.diagnosis.isReady())
        ? ExitStatus.DONE
        : ExitStatus.FAILED;
  }

  private void print(List<Checked> checked) {
    if (!json) {
      Paragraphs paragraphs = new Paragraphs(host.out());
      checked.forEach(each -> paragraphs.print(each.lines()));
    } else if (names.size() > 1) {
      Json.object()
          .with("devices", checked.stream().map(each -> each.json().map()).toList())
          .print(host.out());
    } else {
      checked.forEach(each -> each.json().print(host.out()));
    }
  }

  /**
   * What was found.
   *
   * @param subject the name of the device; without one, the host was checked
   * @param diagnosis what stands in the way
   */
  private record Checked(Optional<String> subject, Diagnosis diagnosis) {

    Json json() {
      return Json.object()
          .with("device", subject)
          .with("ready", diagnosis.isReady())
          .with("way", diagnosis.way().map(Backend::toString))
          .with(
              "findings",
              diagnosis.findings().stream().map(DoctorCommand::json).map(Json::map).toList());
    }

    List<String> lines() {
      List<String> lines = new ArrayList<>(table(diagnosis.findings()).lines());
      lines.add("");
      lines.add(verdict(diagnosis, subject));
      return lines;
    }
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
