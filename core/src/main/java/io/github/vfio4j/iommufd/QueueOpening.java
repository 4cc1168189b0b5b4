package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.QueueFile;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the queues of an iommufd have in common: a file that the kernel gives, next to an eventfd
 * that wakes its readers. That and the room for what is read are made first, since only they can
 * fail without a trace.
 */
final class QueueOpening {
  private final Kernel kernel;
  private final EventFd closing;
  private final MemorySegment room;

  private QueueOpening(Kernel kernel, EventFd closing, MemorySegment room) {
    this.kernel = kernel;
    this.closing = closing;
    this.room = room;
  }

  /**
   * Begins to open a queue.
   *
   * @param room how many bytes are read at once, most of the time
   */
  static QueueOpening begin(Kernel kernel, String what, long room) throws VfioException {
    MemorySegment memory = Arena.ofAuto().allocate(room, Long.BYTES);
    int number = EventFd.request(kernel);
    Answer.require("eventfd", what, number, "");
    return new QueueOpening(kernel, EventFd.of(kernel, number, what), memory);
  }

  /** Ends the opening where no queue came of it. */
  void abandon() {
    closing.close();
  }

  /** Takes over the file that the kernel gave. */
  QueueFile file(int number, IommufdObject object) {
    return new QueueFile(kernel, number, closing, object.toString(), room);
  }

  /** Returns what {@link QueueFile#read} answered, or throws if it is not a number of bytes. */
  static long bytes(QueueFile file, IommufdObject object, MemorySegment room, long answer)
      throws VfioException {
    if (answer < 0) {
      throw failure(object.toString(), answer, file.mostRoom());
    }
    if (answer > room.byteSize()) {
      throw impossible(object, answer);
    }
    return answer;
  }

  private static VfioException failure(String object, long answer, long mostRoom) {
    String tooLarge = "what has arrived does not fit into " + mostRoom + " bytes";
    if (answer == QueueFile.TOO_LARGE) {
      return new VfioException("read", object, null, tooLarge);
    }
    String meaning = Answer.is(answer, Errno.EINVAL) ? tooLarge : "";
    return Answer.failure("read", object, (int) answer, meaning);
  }

  static VfioException impossible(IommufdObject object, long length) {
    return new VfioException(
        "read", object.toString(), null, "the kernel's reply has " + length + " bytes");
  }

  /** Closes a queue's file, and ends the deliveries of its events. */
  static void close(String object, QueueChannel<?> channel) throws VfioException {
    int answer = channel.queue().close();
    channel.subscriber().sourceClosed();
    Answer.require("close", object, answer, "");
  }
}
