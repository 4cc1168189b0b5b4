package io.github.vfio4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A command line in which words in braces stand for open files: {@code {iommufd}}, and {@code
 * {cdev}} or {@code {group}} of a device, with its place among the devices where there are several.
 */
final class CommandTemplate {
  static final String IOMMUFD = "iommufd";
  static final String CDEV = "cdev";
  static final String GROUP = "group";

  private static final Pattern PLACE = Pattern.compile("\\{(iommufd|(cdev|group)(\\d{0,4}))}");

  private final List<String> words;
  private final Set<String> files = new TreeSet<>();

  private CommandTemplate(List<String> words) {
    this.words = words;
  }

  /**
   * Reads a command line.
   *
   * @param devices how many devices there are
   * @throws IllegalArgumentException if a place is that of no device, or a device has none or two
   */
  static CommandTemplate of(List<String> words, int devices) {
    CommandTemplate template = new CommandTemplate(List.copyOf(words));
    Map<Integer, String> used = new TreeMap<>();
    for (String word : words) {
      PLACE.matcher(word).results().forEach(place -> template.enter(place, devices, used));
    }
    for (int i = 0; i < devices; i++) {
      if (!used.containsKey(i)) {
        String number = devices == 1 ? "" : "" + i;
        throw new IllegalArgumentException(
            "the command does not say where it takes device %d of %d: put {cdev%s}, or {group%s} for the legacy interface, into its arguments"
                .formatted(i + 1, devices, number, number));
      }
    }
    return template;
  }

  private void enter(MatchResult place, int devices, Map<Integer, String> used) {
    String kind = place.group(2);
    if (kind == null) {
      files.add(IOMMUFD);
      return;
    }
    String digits = place.group(3);
    if (digits.isEmpty() && devices > 1) {
      throw new IllegalArgumentException(
          "%s can be any of %d devices: write {%s0}, {%s1}, and so on"
              .formatted(place.group(), devices, kind, kind));
    }
    int device = digits.isEmpty() ? 0 : Integer.parseInt(digits);
    if (device >= devices) {
      throw new IllegalArgumentException(
          "%s is none of the %d devices, which count from 0".formatted(place.group(), devices));
    }
    String former = used.put(device, kind);
    if (former != null && !former.equals(kind)) {
      throw new IllegalArgumentException(
          "the kernel gives device %d by {cdev} or by {group}, not by both".formatted(device + 1));
    }
    files.add(kind + device);
  }

  /** Returns whether the command takes an open file. */
  boolean takes(String file) {
    return files.contains(file);
  }

  /**
   * Returns the command line with numbers in their places.
   *
   * @param numbers those of the files: {@code iommufd}, {@code cdev0}, {@code group0} and so on
   */
  List<String> fill(Map<String, Integer> numbers) {
    List<String> filled = new ArrayList<>();
    for (String word : words) {
      filled.add(PLACE.matcher(word).replaceAll(place -> "" + numbers.get(file(place))));
    }
    return filled;
  }

  private static String file(MatchResult place) {
    return place.group(2) == null || !place.group(3).isEmpty()
        ? place.group(2) == null ? IOMMUFD : place.group(2) + Integer.parseInt(place.group(3))
        : place.group(2) + "0";
  }
}
