package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;

/**
 * A zone, as the controller has told of it.
 *
 * @param start its first block
 * @param capacity how many of its blocks can be written, from the first one on
 * @param writePointer the block that is to be written next; of no meaning where the zone is {@link
 *     State#FULL}, {@link State#READ_ONLY} or {@link State#OFFLINE}
 * @param state what can be done with it
 */
public record Zone(long start, long capacity, long writePointer, State state) {
  /** How many bytes a report has before the first zone, and for each zone. */
  static final int DESCRIPTOR = 64;

  /** What can be done with a zone, in the specification's words. */
  public enum State {
    /** Nothing is in it. */
    EMPTY(1),

    /** It is open because it was written to, and may be closed for another one. */
    IMPLICITLY_OPENED(2),

    /** It was opened, and stays so. */
    EXPLICITLY_OPENED(3),

    /** It is written in part, and open no more. */
    CLOSED(4),

    /** It can only be read, for good. */
    READ_ONLY(0xd),

    /** There is no room in it before it is reset. */
    FULL(0xe),

    /** It can neither be read nor written, for good. */
    OFFLINE(0xf);

    private final int number;

    State(int number) {
      this.number = number;
    }

    /** Returns whether the zone counts among those that are open. */
    boolean isOpen() {
      return this == IMPLICITLY_OPENED || this == EXPLICITLY_OPENED;
    }
  }

  /**
   * Returns the zones of a report.
   *
   * @param namespace where
   * @param report what {@link QueuePair#report} had the controller fill
   * @return the zones, in their order
   * @throws IllegalArgumentException if there is no room for a zone
   * @throws VfioException if the controller tells of zones that the namespace cannot have, or in a
   *     wrong order
   */
  public static List<Zone> of(ZonedNamespace namespace, DmaSlice report) throws VfioException {
    QueuePair.requireReport(report);
    long count = report.getLong(0);
    if (count < 0 || count > report.size() / DESCRIPTOR - 1) {
      throw bad(namespace, Long.toUnsignedString(count) + " zones, for which there is no room");
    }
    List<Zone> zones = new ArrayList<>();
    long before = -1;
    for (int i = 1; i <= count; i++) {
      Zone zone = parse(namespace, report, (long) i * DESCRIPTOR);
      if (zone.start <= before) {
        throw bad(namespace, "a zone at block %d after %d".formatted(zone.start, before));
      }
      zones.add(zone);
      before = zone.start;
    }
    return zones;
  }

  private static Zone parse(ZonedNamespace namespace, DmaSlice report, long at)
      throws VfioException {
    int number = report.getByte(at + 1) >>> 4 & 0xf;
    long capacity = report.getLong(at + 8);
    long start = report.getLong(at + 16);
    long writePointer = report.getLong(at + 24);
    State state = null;
    for (State each : State.values()) {
      if (each.number == number) {
        state = each;
      }
    }
    if (state == null) {
      throw bad(namespace, "a zone in state " + number);
    }
    if (!namespace.isStart(start) || capacity < 0 || capacity > namespace.zoneBlocks()) {
      throw bad(namespace, "a zone of %d blocks at block %d".formatted(capacity, start));
    }
    if ((state == State.EMPTY || state == State.CLOSED || state.isOpen())
        && (writePointer < start || writePointer > start + capacity)) {
      throw bad(
          namespace,
          "a zone of %d blocks at block %d whose next one is %d"
              .formatted(capacity, start, writePointer));
    }
    return new Zone(start, capacity, writePointer, state);
  }

  private static VfioException bad(ZonedNamespace namespace, String what) {
    return new VfioException(
        "report zones",
        "namespace " + namespace.namespace().id(),
        null,
        "the controller tells of " + what);
  }
}
