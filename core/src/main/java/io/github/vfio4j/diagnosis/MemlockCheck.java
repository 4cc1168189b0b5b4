package io.github.vfio4j.diagnosis;

import io.github.vfio4j.opening.HostFiles;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much memory this process may pin for DMA. */
final class MemlockCheck {

  private static final String CHECK = "locked memory";

  /** Less does not hold the queues and buffers of one fast device. */
  private static final long PLENTY = 64L << 20;

  private static final int CAP_IPC_LOCK = 14;
  private static final Pattern LIMIT = Pattern.compile("(?m)^Max locked memory +(\\S+)");
  private static final Pattern CAPABILITIES = Pattern.compile("(?m)^CapEff:\\s*(\\p{XDigit}+)");

  private MemlockCheck() {}

  static Finding finding(HostFiles files) {
    if ((capabilities(files) >>> CAP_IPC_LOCK & 1) == 1 && !isInUserNamespace(files)) {
      return Finding.ok(CHECK, "no limit for this process (CAP_IPC_LOCK)");
    }
    Optional<String> limit = first(LIMIT, files.text("proc/self/limits"));
    if (limit.isEmpty()) {
      return Finding.skipped(CHECK, "/proc/self/limits cannot be read");
    }
    if (limit.get().equals("unlimited")) {
      return Finding.ok(CHECK, "no limit");
    }
    long bytes = Long.parseUnsignedLong(limit.get());
    String seen = "this process may pin %d KiB".formatted(bytes >>> 10);
    String fix = "raise it: ulimit -l, memlock in limits.conf, or LimitMEMLOCK= of a service";
    return Long.compareUnsigned(bytes, PLENTY) < 0
        ? Finding.warning(CHECK, seen, fix)
        : Finding.ok(CHECK, seen);
  }

  /** The kernel asks for the capability outside of all user namespaces. */
  private static boolean isInUserNamespace(HostFiles files) {
    return files
        .text("proc/self/uid_map")
        .filter(map -> !map.matches("0\\s+0\\s+4294967295"))
        .isPresent();
  }

  private static long capabilities(HostFiles files) {
    return first(CAPABILITIES, files.text("proc/self/status"))
        .map(digits -> Long.parseUnsignedLong(digits, 16))
        .orElse(0L);
  }

  private static Optional<String> first(Pattern pattern, Optional<String> text) {
    Matcher matcher = pattern.matcher(text.orElse(""));
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }
}
