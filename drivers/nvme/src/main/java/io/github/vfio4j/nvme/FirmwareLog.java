package io.github.vfio4j.nvme;

import java.util.ArrayList;
import java.util.List;

/**
 * Which firmware a controller has.
 *
 * @param active the slot that runs, from 1
 * @param next the slot that runs after the next reset, or 0 if that is the same
 * @param revisions what is in the slots, from slot 1 on; empty where nothing is
 */
public record FirmwareLog(int active, int next, List<String> revisions) {
  static final int LOG = 3;
  static final int SIZE = 512;

  private static final int SLOTS = 7;
  private static final int REVISION = 8;

  /** Copies the list. */
  public FirmwareLog {
    revisions = List.copyOf(revisions);
  }

  static FirmwareLog parse(Fields log) {
    List<String> revisions = new ArrayList<>();
    for (int slot = 1; slot <= SLOTS; slot++) {
      revisions.add(log.textAt(slot * REVISION, REVISION));
    }
    return new FirmwareLog(log.byteAt(0) & 7, log.byteAt(0) >>> 4 & 7, revisions);
  }
}
