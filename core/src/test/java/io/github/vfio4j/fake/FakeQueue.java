package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A queue of faults or events: a reader gets what was put in, piece by piece. Its descriptor is an
 * eventfd, which the real kernel finds readable as long as a piece is left.
 */
final class FakeQueue extends FakeFile {
  private static final int EFD_CLOEXEC_NONBLOCK_SEMAPHORE = 0x80801;

  private final Kernel real;
  private final int eventfd;
  private final FakeObject object;
  private final Deque<byte[]> pieces = new ArrayDeque<>();
  private int tooSmall = refused(Errno.EINVAL);
  private int reads;

  private FakeQueue(Kernel real, int eventfd, FakeObject object) {
    this.real = real;
    this.eventfd = eventfd;
    this.object = object;
  }

  /** Opens the file of a queue, which holds its object until it is closed. */
  static int open(Kernel real, OpenFiles files, FakeObject object) {
    int eventfd = real.eventfd(0, EFD_CLOEXEC_NONBLOCK_SEMAPHORE);
    object.hold();
    return files.add(eventfd, new FakeQueue(real, eventfd, object), "queue");
  }

  synchronized void put(byte... piece) {
    pieces.add(piece);
    try (Arena arena = Arena.ofConfined()) {
      real.write(eventfd, arena.allocateFrom(JAVA_LONG, 1));
    }
  }

  /** Answers 0 to a buffer too small for a piece, as kernels before 7.3 do. */
  synchronized void answerNothingToSmallBuffers() {
    tooSmall = 0;
  }

  /** Returns how often it was read from. */
  synchronized int reads() {
    return reads;
  }

  @Override
  synchronized long read(int fd, MemorySegment buffer) {
    reads++;
    byte[] piece = pieces.peek();
    if (piece == null) {
      return 0;
    }
    if (piece.length > buffer.byteSize()) {
      return tooSmall;
    }
    pieces.remove();
    try (Arena arena = Arena.ofConfined()) {
      real.read(eventfd, arena.allocate(JAVA_LONG));
    }
    MemorySegment.copy(piece, 0, buffer, JAVA_BYTE, 0, piece.length);
    return piece.length;
  }

  @Override
  void closed() {
    object.release();
  }

  /** Takes the answer to a fault. */
  @Override
  long write(int fd, MemorySegment buffer) {
    return buffer.byteSize();
  }
}
