package io.github.vfio4j.diagnosis;

import io.github.vfio4j.opening.HostFiles;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The options that the running kernel was built with.
 *
 * @param source the file that says so
 * @param lines its lines
 */
record KernelConfig(String source, Set<String> lines) {

  static Optional<KernelConfig> find(HostFiles files) {
    String boot = "boot/config-" + release(files);
    return files
        .unzipped("proc/config.gz")
        .map(text -> parse("/proc/config.gz", text))
        .or(() -> files.text(boot).map(text -> parse("/" + boot, text)));
  }

  static String release(HostFiles files) {
    return files.text("proc/sys/kernel/osrelease").orElse("unknown");
  }

  private static KernelConfig parse(String source, String text) {
    return new KernelConfig(source, text.lines().collect(Collectors.toUnmodifiableSet()));
  }

  boolean isModule(String option) {
    return lines.contains(option + "=m");
  }

  boolean has(String option) {
    return lines.contains(option + "=y") || isModule(option);
  }

  boolean hasAll(List<String> options) {
    return options.stream().allMatch(this::has);
  }
}
