package io.github.vfio4j.nvme;

/** What can be done with a zone besides reading and writing it, see {@link QueuePair#manage}. */
public enum ZoneAction {
  /** Have it be closed: written in part, and not among those that are open. */
  CLOSE(1),

  /** Have it be full, whatever was written. */
  FINISH(2),

  /** Have it be open until it is closed, finished or reset. */
  OPEN(3),

  /** Have it be empty: what is in it is lost. */
  RESET(4);

  private final int number;

  ZoneAction(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
