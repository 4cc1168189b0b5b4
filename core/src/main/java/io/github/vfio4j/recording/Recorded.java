package io.github.vfio4j.recording;

import java.util.Optional;
import java.util.function.Supplier;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;

/** The events of flight recordings, while there is a recorder. */
public final class Recorded {
  private Recorded() {}

  /**
   * Begins an event, or nothing where nobody has started the flight recorder: the first event
   * starts it half, which takes a tenth of a second.
   */
  public static <E extends Event> Optional<E> begin(Supplier<E> event) {
    if (!FlightRecorder.isInitialized()) {
      return Optional.empty();
    }
    E begun = event.get();
    begun.begin();
    return Optional.of(begun);
  }
}
