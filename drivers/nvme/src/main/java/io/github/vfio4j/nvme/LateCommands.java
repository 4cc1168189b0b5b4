package io.github.vfio4j.nvme;

/**
 * Which commands of a queue pair take longer than they may, by slot. A command's time counts from
 * when it was seen here first, so that none needs to be stamped when it begins.
 */
final class LateCommands {
  /** When a command was seen first, or when its abort was asked for; 0 before that. */
  private final long[] since;

  private final boolean[] aborted;

  LateCommands(int slots) {
    since = new long[slots];
    aborted = new boolean[slots];
  }

  /** Takes note of a new command. Hot code. */
  void begin(int slot) {
    since[slot] = 0;
  }

  /** Returns what is due for a command that is under way. */
  Recovery due(int slot, long now, long limit) {
    if (since[slot] == 0) {
      start(slot, now);
      aborted[slot] = false;
      return Recovery.NONE;
    }
    if (now - since[slot] <= limit) {
      return Recovery.NONE;
    }
    return aborted[slot] ? Recovery.RESET : Recovery.ABORT;
  }

  /** Gives a command, whose abort was asked for, its time to end. */
  void abort(int slot, long now) {
    start(slot, now);
    aborted[slot] = true;
  }

  private void start(int slot, long now) {
    since[slot] = now == 0 ? 1 : now;
  }
}
