package io.github.vfio4j.migration;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A device could not be moved to another state, saved or restored. It tells what has become of the
 * device; the cause tells what went wrong.
 */
public class MigrationException extends VfioException {
  private static final long serialVersionUID = 1L;

  /** What has become of a device. */
  public enum Outcome {
    /** It is in the state in which it was. */
    UNCHANGED("it is still in"),

    /** It is in another state, on the way to the one that was asked for. */
    ON_THE_WAY("it has stopped on the way, in"),

    /** It was brought to the state that was to be taken after a failure. */
    RECOVERED("it was brought to"),

    /** It was reset, and what was in it is lost. */
    RESET("it was reset, and is in"),

    /** It could not even be reset, or nobody was to do it: a reset or closing it is left. */
    LOST("it is lost, in");

    private final String words;

    Outcome(String words) {
      this.words = words;
    }
  }

  /** Where the device is. */
  private final @Nullable DeviceState stateNow;

  /** What has become of it. */
  private final Outcome outcome;

  MigrationException(
      String operation,
      String object,
      @Nullable Errno errno,
      String explanation,
      @Nullable DeviceState stateNow,
      Outcome outcome) {
    super(
        operation,
        object,
        errno,
        "%s; %s %s"
            .formatted(
                explanation,
                outcome.words,
                stateNow == null ? "a state that is not told" : stateNow));
    this.stateNow = stateNow;
    this.outcome = outcome;
  }

  /** Describes what a failure has led to. */
  static MigrationException of(
      String operation,
      String object,
      Throwable cause,
      @Nullable DeviceState stateNow,
      Outcome outcome) {
    Errno errno = cause instanceof VfioException failure ? failure.errno().orElse(null) : null;
    String explanation =
        cause instanceof VfioException failure && errno != null
            ? failure.operation() + " on " + failure.object()
            : String.valueOf(cause.getMessage() == null ? cause : cause.getMessage());
    MigrationException described =
        new MigrationException(operation, object, errno, explanation, stateNow, outcome);
    described.initCause(cause);
    return described;
  }

  /**
   * Returns in which state the device is now.
   *
   * @return the state, or empty where the kernel did not tell, or told one that is not known here
   */
  public Optional<DeviceState> stateNow() {
    return Optional.ofNullable(stateNow);
  }

  /**
   * Returns what has become of the device.
   *
   * @return what was done after the failure
   */
  public Outcome outcome() {
    return outcome;
  }
}
