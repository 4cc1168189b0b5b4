package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaSlice;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The commands of a submission queue, in this host's memory or in the controller's. Hot code; it is
 * for one thread at a time.
 *
 * <p>They are put together in an array, where a store is a store, and copied from there for as many
 * as there are before the controller is told of them: a segment looks at each access whether it is
 * inside and its memory is still there, which for a whole command is more than all else.
 */
final class SubmissionQueue {
  static final int COMMAND = 64;

  private static final int WORDS = COMMAND / Long.BYTES;

  private final long[] words;
  private final @Nullable MemorySegment memory;
  private final ControllerMemory.@Nullable Part part;
  private final long iova;

  private SubmissionQueue(
      int entries,
      @Nullable MemorySegment memory,
      ControllerMemory.@Nullable Part part,
      long iova) {
    this.words = new long[entries * WORDS];
    this.memory = memory;
    this.part = part;
    this.iova = iova;
  }

  /** Returns how many bytes a queue takes, which are whole pages. */
  static long size(int entries) {
    return Rings.roundUp((long) entries * COMMAND, Rings.PAGE);
  }

  static SubmissionQueue of(int entries, DmaSlice memory) {
    return new SubmissionQueue(entries, memory.segment(), null, memory.iova());
  }

  static SubmissionQueue of(int entries, ControllerMemory.Part part) {
    return new SubmissionQueue(entries, null, part, part.iova());
  }

  boolean isInControllerMemory() {
    return part != null;
  }

  long iova() {
    return iova;
  }

  /** Sets a whole command but for its words 2 to 5, which are 0 in any; the last two are 0. */
  void set(int entry, long first, long data, long more, long word10, long word12) {
    int at = entry * WORDS;
    words[at] = first;
    words[at + 3] = data;
    words[at + 4] = more;
    words[at + 5] = word10;
    words[at + 6] = word12;
    words[at + 7] = 0;
  }

  /** Sets two words of a command. */
  void set(int entry, int word, long value) {
    words[entry * WORDS + word / 2] = value;
  }

  /**
   * Puts commands where the controller finds them: those from one on, up to but without another.
   */
  void publish(int from, int to) {
    int first = from * WORDS;
    int end = to * WORDS;
    if (first < end) {
      copy(first, end);
    } else {
      copy(first, words.length);
      copy(0, end);
    }
  }

  private void copy(int from, int end) {
    if (memory != null) {
      MemorySegment.copy(
          words, from, memory, LittleEndian.LONG, (long) from * Long.BYTES, end - from);
    } else if (part != null) {
      for (int i = from; i < end; i++) {
        part.setLong((long) i * Long.BYTES, words[i]);
      }
    }
  }
}
