package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Asks for an info structure whose capabilities make it longer than its C type: once for the
 * length, and again with room for it.
 */
final class InfoReply {
  private static final int LARGEST = 1 << 20;

  private InfoReply() {}

  /**
   * Returns the whole reply.
   *
   * @param size bytes of the structure, whose first field is {@code argsz}
   * @param fill sets the fields of the question other than {@code argsz}
   */
  static MemorySegment ask(
      Fd fd, Ioctl operation, Arena arena, long size, Consumer<MemorySegment> fill)
      throws VfioException {
    long room = size;
    while (true) {
      MemorySegment reply = arena.allocate(room, Long.BYTES);
      fill.accept(reply);
      reply.set(JAVA_INT, 0, (int) room);
      int answer = fd.ioctl(operation, reply);
      if (answer < 0) {
        throw Failure.of(operation, fd.object(), answer);
      }
      long needed = Integer.toUnsignedLong(reply.get(JAVA_INT, 0));
      if (needed <= room) {
        return reply;
      }
      if (needed > LARGEST) {
        throw new VfioException(
            operation.name(), fd.object(), null, "the kernel's reply claims " + needed + " bytes");
      }
      room = needed;
    }
  }
}
