package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.jr.ob.JSON;

/**
 * What a user gets from one command.
 *
 * @param status the exit status
 * @param out what it printed
 * @param err what it complained of
 * @param hints what it told a person besides
 */
record CommandRun(int status, String out, String err, String hints) {

  /** Runs a command on a host whose devices nobody can open, and that has no pci.ids. */
  static CommandRun of(Sysfs sysfs, String... arguments) {
    return of(sysfs, CommandRun::unopenable, arguments);
  }

  static CommandRun of(Sysfs sysfs, CommandHost.Opener opener, String... arguments) {
    return of(sysfs, opener, CommandRun::unasked, CommandRun::notReset, arguments);
  }

  static CommandRun surveying(Sysfs sysfs, CommandHost.Surveyor surveyor, String... arguments) {
    return of(sysfs, CommandRun::unopenable, surveyor, CommandRun::notReset, arguments);
  }

  static CommandRun resetting(Sysfs sysfs, CommandHost.Resetter resetter, String... arguments) {
    return of(sysfs, CommandRun::unopenable, CommandRun::unasked, resetter, arguments);
  }

  private static List<String> notReset(HostDevice device, boolean hot) {
    throw new AssertionError("reset " + device + (hot ? " hot" : ""));
  }

  private static OpenedDevice unopenable(HostDevice device) {
    throw new AssertionError("opened " + device);
  }

  private static IommuSurvey unasked(HostDevice device) {
    throw new AssertionError("asked of " + device);
  }

  private static CommandRun of(
      Sysfs sysfs,
      CommandHost.Opener opener,
      CommandHost.Surveyor surveyor,
      CommandHost.Resetter resetter,
      String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    StringWriter hints = new StringWriter();
    PrintWriter outWriter = new PrintWriter(out);
    PrintWriter errWriter = new PrintWriter(err);
    CommandHost host =
        new CommandHost(
            sysfs,
            PciIds.of(List.of(Path.of("/nonexistent"))),
            opener,
            surveyor,
            resetter,
            outWriter,
            new PrintWriter(hints));
    int status = Vfio4j.commandLine(host, errWriter, arguments).execute(arguments);
    outWriter.flush();
    errWriter.flush();
    return new CommandRun(status, out.toString(), err.toString(), hints.toString());
  }

  List<String> lines() {
    return out.lines().toList();
  }

  Map<String, Object> json() {
    try {
      return JSON.std.mapFrom(out);
    } catch (RuntimeException e) {
      throw new AssertionError("no JSON: " + out, e);
    }
  }

  /** The objects in a list of the JSON. */
  @SuppressWarnings("unchecked")
  List<Map<String, Object>> objects(String field) {
    return (List<Map<String, Object>>) json().get(field);
  }
}
