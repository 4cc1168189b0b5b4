package io.github.vfio4j.kerneltests.selftests;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.PciAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of the kernel's own test programs, as {@code lab/selftests} compiles them.
 *
 * @param file the program
 */
record SelftestProgram(Path file) {
  /**
   * Of "ok 3 fixture.variant.test # SKIP why"; a test may say something before, on the same line.
   */
  private static final Pattern RESULT =
      Pattern.compile("(not ok|ok) \\d+ ([\\w.]+)(?: # (SKIP))?.*");

  /**
   * A case of such a program.
   *
   * @param test its fixture and its name, with a dot between
   * @param variant the name of the fixture's variant, or empty
   */
  record Case(String test, String variant) {
    static Case parse(String name) {
      List<String> parts = List.of(name.split("\\.", -1));
      return new Case(
          parts.getFirst() + "." + parts.getLast(), parts.size() == 3 ? parts.get(1) : "");
    }

    @Override
    public String toString() {
      return variant.isEmpty() ? test : test + " [" + variant + "]";
    }
  }

  /**
   * What a program said.
   *
   * @param outcomes of each case that it ran
   * @param text all that it wrote
   */
  record Said(Map<Case, Outcome> outcomes, String text) {}

  /**
   * Runs the program on devices that vfio-pci has.
   *
   * @param options which cases, as its {@code -h} says; all where there are none
   */
  Said run(List<String> options, List<PciAddress> devices) throws IOException {
    List<String> command = new ArrayList<>(List.of(file.toString()));
    command.addAll(options);
    devices.forEach(device -> command.add(device.toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String text;
    try (var output = process.getInputStream()) {
      text = new String(output.readAllBytes(), UTF_8);
    } finally {
      process.destroy();
    }
    return new Said(outcomes(text), text);
  }

  private static Map<Case, Outcome> outcomes(String text) {
    Map<Case, Outcome> outcomes = new LinkedHashMap<>();
    text.lines()
        .map(RESULT::matcher)
        .filter(Matcher::matches)
        .forEach(
            result ->
                outcomes.put(
                    Case.parse(result.group(2)),
                    result.group(1).equals("not ok")
                        ? Outcome.FAILED
                        : result.group(3) != null ? Outcome.SKIPPED : Outcome.PASSED));
    return outcomes;
  }
}
