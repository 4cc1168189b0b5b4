package io.github.vfio4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Asks for an info structure whose capabilities make it longer than its C type: once for the
 * length, and again with room for it.
 */
public final class InfoReply {
  /** Fills a structure, and answers as the kernel does. */
  @FunctionalInterface
  public interface Question {
    int ask(MemorySegment reply);
  }

  private static final int LARGEST = 1 << 20;

  /** A reply may have grown since its length was told, but not for ever. */
  private static final int ATTEMPTS = 16;

  private InfoReply() {}

  /**
   * Returns the whole reply.
   *
   * @param operation what is asked, for messages
   * @param object who is asked, for messages
   * @param size bytes of the structure, whose first field is {@code argsz}
   * @param fill sets the fields of the question other than {@code argsz}
   */
  public static MemorySegment ask(
      Ioctl operation,
      String object,
      Question question,
      Arena arena,
      long size,
      Consumer<MemorySegment> fill)
      throws VfioException {
    long room = size;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      MemorySegment reply = arena.allocate(room, Long.BYTES);
      fill.accept(reply);
      reply.set(JAVA_INT, 0, (int) room);
      Answer.require(operation, object, question.ask(reply));
      long needed = Integer.toUnsignedLong(reply.get(JAVA_INT, 0));
      if (needed <= room) {
        return reply;
      }
      if (needed > LARGEST) {
        throw new VfioException(
            operation.name(), object, null, "the kernel's reply claims " + needed + " bytes");
      }
      room = needed;
    }
    throw Answer.impossible(operation, object, "more to say each of " + ATTEMPTS + " times");
  }
}
