package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaSlice;
import org.jspecify.annotations.Nullable;

/**
 * The commands of a submission queue, in this host's memory or in the controller's. Hot code; it is
 * for one thread at a time.
 */
final class SubmissionQueue {
  static final int COMMAND = 64;

  private final @Nullable DmaSlice memory;
  private final ControllerMemory.@Nullable Part part;

  private SubmissionQueue(@Nullable DmaSlice memory, ControllerMemory.@Nullable Part part) {
    this.memory = memory;
    this.part = part;
  }

  /** Returns how many bytes a queue takes, which are whole pages. */
  static long size(int entries) {
    return Rings.roundUp((long) entries * COMMAND, Rings.PAGE);
  }

  /** Puts a queue into memory that is all zeros. */
  static SubmissionQueue of(DmaSlice memory) {
    return new SubmissionQueue(memory, null);
  }

  static SubmissionQueue of(ControllerMemory.Part part) {
    return new SubmissionQueue(null, part);
  }

  boolean isInControllerMemory() {
    return part != null;
  }

  long iova() {
    return part != null ? part.iova() : memory != null ? memory.iova() : 0;
  }

  /** Sets 8 bytes. */
  void setLong(long at, long value) {
    if (memory != null) {
      memory.setLong(at, value);
    } else if (part != null) {
      part.setLong(at, value);
    }
  }

  /** Begins a command whose third to sixth words are 0, as they are in any. */
  void begin(long at, long first) {
    setLong(at, first);
    if (part != null) { // what was there nobody knows: it is the controller's, and resets end it
      part.setLong(at + 8, 0);
      part.setLong(at + 16, 0);
    }
  }
}
