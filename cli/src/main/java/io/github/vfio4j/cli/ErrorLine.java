package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Printable;
import io.github.vfio4j.cli.text.Similar;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Tells of a failed command in one line, and where it comes from if asked. */
final class ErrorLine implements IExecutionExceptionHandler {

  private final Vfio4j vfio4j;
  private final Sysfs sysfs;
  private final PrintWriter err;

  ErrorLine(Vfio4j vfio4j, Sysfs sysfs, PrintWriter err) {
    this.vfio4j = vfio4j;
    this.sysfs = sysfs;
    this.err = err;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine commandLine, ParseResult arguments) {
    commandLine.getOut().flush();
    err.println("vfio4j: " + Printable.line(describe(failure)));
    for (Throwable further : failure.getSuppressed()) {
      err.println("vfio4j: then also: " + Printable.line(describe(further)));
    }
    if (vfio4j.trace()) {
      failure.printStackTrace(err);
    }
    err.flush();
    return ExitStatus.of(failure);
  }

  private String describe(Throwable failure) {
    return switch (failure) {
      case NoSuchDeviceException e -> e.getMessage() + neighbour(e.object());
      case IOException e -> String.valueOf(e.getMessage());
      default -> "a defect of vfio4j, please report it with what --trace prints: " + failure;
    };
  }

  /** The only device whose name is one letter away; where there are more, none is likelier. */
  private String neighbour(String name) {
    try {
      List<String> names = sysfs.devices().stream().map(HostDevice::name).toList();
      List<String> nearest = Similar.nearest(name, names, 1);
      return nearest.size() == 1 && !nearest.contains(name)
          ? "; did you mean " + nearest.getFirst() + "?"
          : "";
    } catch (VfioException e) {
      return ""; // the failure that is told weighs more
    }
  }
}
