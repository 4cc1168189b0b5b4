package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.sysfs.Sysfs;
import io.github.vfio4j.vmm.DeviceSetup;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What others may have a running machine do, a line each. */
final class Orders {
  static final String KNOWN =
      "devices, plug DEVICE, unplug NAME, add-memory SIZE, remove-memory ADDRESS,"
          + " dirty on|off|read, stop";

  /** How long a guest may take to let something go. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Sysfs sysfs;
  private final CommandLine commandLine;

  /**
   * Takes orders for a machine.
   *
   * @param sysfs where devices are looked for
   * @param commandLine whose words an argument that is wrong is told in
   */
  Orders(Sysfs sysfs, CommandLine commandLine) {
    this.sysfs = sysfs;
    this.commandLine = commandLine;
  }

  /**
   * Carries one out.
   *
   * @return what it has to tell, which may be nothing
   * @throws IllegalArgumentException if it is none
   */
  String obey(String line, Machine machine) throws VfioException, InterruptedException {
    String[] words = line.strip().split("\\s+", 2);
    String argument = words.length > 1 ? words[1] : "";
    boolean wantsArgument = !words[0].equals("devices") && !words[0].equals("stop");
    if (argument.isEmpty() == wantsArgument) {
      throw new IllegalArgumentException("'%s' is no order; known are %s".formatted(line, KNOWN));
    }
    switch (words[0]) {
      case "devices" -> {
        return String.join(" ", machine.devices());
      }
      case "plug" -> machine.plug(device(argument));
      case "unplug" -> machine.unplug(name(argument, machine), PATIENCE);
      case "add-memory" -> {
        return "0x%x".formatted(machine.addMemory(size(argument)));
      }
      case "remove-memory" -> machine.removeMemory(address(argument), PATIENCE);
      case "dirty" -> {
        return dirty(argument, machine);
      }
      case "stop" -> machine.stop();
      default ->
          throw new IllegalArgumentException(
              "'%s' is no order; known are %s".formatted(line, KNOWN));
    }
    return "";
  }

  private static String dirty(String what, Machine machine) throws VfioException {
    switch (what) {
      case "on", "off" -> machine.setDirtyTracking(what.equals("on"));
      case "read" -> {
        return machine.readAndClearDirty().stream()
            .map(
                range ->
                    "0x%x: %d of %d pages"
                        .formatted(range.iova(), range.count(), range.length() / range.pageSize()))
            .collect(Collectors.joining(", "));
      }
      default ->
          throw new IllegalArgumentException(
              "'dirty' can be 'on', 'off' or 'read', not '" + what + "'");
    }
    return "";
  }

  private DeviceSetup device(String typed) throws VfioException {
    try {
      return DeviceList.of(sysfs, List.of(DeviceOption.parse(typed)), commandLine).getFirst();
    } catch (ParameterException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** A device of this host may be named without its domain. */
  private static String name(String typed, Machine machine) {
    return machine.devices().stream()
        .filter(name -> name.equals(typed) || name.equals("0000:" + typed))
        .findFirst()
        .orElse(typed);
  }

  private static long size(String typed) {
    return Size.parse(typed)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'" + typed + "' is no amount of memory: write a number, with K, M or G"));
  }

  private static long address(String typed) {
    try {
      return Long.decode(typed);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + typed + "' is no address, such as 0x100000000", e);
    }
  }
}
