package io.github.vfio4j.diagnosis;

import java.util.Optional;

/**
 * One condition for opening a device, and whether it is met.
 *
 * @param check the condition's name, such as {@code isolated MSI}
 * @param status whether it is met
 * @param seen what was seen, and where that is not certain, that it is not
 * @param fix what to do about it, in one line; empty where nothing needs doing
 */
public record Finding(String check, Status status, String seen, Optional<String> fix) {

  /** Whether a condition is met. */
  public enum Status {
    /** It is met. */
    OK,
    /** A device can be opened, but not in every way, or not safely. */
    WARNING,
    /** A device cannot be opened. */
    FAILED,
    /** It could not be told, or another condition comes first. */
    SKIPPED
  }

  /** Returns the finding, where it failed as a warning. */
  Finding lessThanFailed() {
    return status == Status.FAILED ? new Finding(check, Status.WARNING, seen, fix) : this;
  }

  static Finding ok(String check, String seen) {
    return new Finding(check, Status.OK, seen, Optional.empty());
  }

  static Finding warning(String check, String seen, String fix) {
    return new Finding(check, Status.WARNING, seen, Optional.of(fix));
  }

  static Finding failed(String check, String seen, String fix) {
    return new Finding(check, Status.FAILED, seen, Optional.of(fix));
  }

  static Finding skipped(String check, String seen) {
    return new Finding(check, Status.SKIPPED, seen, Optional.empty());
  }
}
