package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.QueueFile;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the queues of an iommufd have in common: a file that the kernel gives, next to an eventfd
 * that wakes its readers. All that can fail is made before the kernel is asked.
 */
final class QueueOpening {
  private QueueOpening() {}

  /**
   * Makes room for a queue's file.
   *
   * @param rollback undoes it
   * @param what messages call the queue before it has a number
   * @param room how many bytes are read at once, most of the time
   */
  static QueueFile prepare(Rollback rollback, IommufdObject object, String what, long room)
      throws VfioException {
    Kernel kernel = object.iommufd().kernel();
    MemorySegment memory = Arena.ofAuto().allocate(room, Long.BYTES);
    EventFd closing = new EventFd(kernel, object);
    QueueFile file = new QueueFile(kernel, closing, object, memory);
    rollback.add(file::close);
    Answer.require("eventfd", what, closing.open(), "");
    return file;
  }

  /**
   * Asks the kernel to make the queue, and takes over its file, whatever is thrown.
   *
   * @param idOffset where in the request its number is then
   * @param fdOffset where the number of its file is
   * @return the kernel's answer
   */
  static int make(
      IommufdObject object,
      QueueFile file,
      Ioctl operation,
      MemorySegment request,
      long idOffset,
      long fdOffset) {
    try {
      return object.make(operation, request, idOffset);
    } finally {
      if (object.isMade()) {
        file.take(request.get(JAVA_INT, fdOffset));
      }
    }
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
    channel.subscriber().sourceCloses();
    Answer.require("close", object, channel.queue().close(), "");
  }
}
