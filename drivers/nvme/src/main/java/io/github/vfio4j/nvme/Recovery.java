package io.github.vfio4j.nvme;

/** What {@link QueuePair#recover} had to do. */
public enum Recovery {
  /** Nothing: no command is late. */
  NONE,

  /** It asked the controller to abort commands that are late. They have yet to end. */
  ABORT,

  /** It reset the controller. All commands that were under way have ended. */
  RESET
}
