package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.QueueFile;
import io.github.vfio4j.outcome.Answer;

/**
 * What the queues of an iommufd have in common: a file that the kernel gives, next to an eventfd
 * that wakes its readers, which is made first since only that can fail without a trace.
 */
final class QueueOpening {
  private final Kernel kernel;
  private final EventFd closing;

  private QueueOpening(Kernel kernel, EventFd closing) {
    this.kernel = kernel;
    this.closing = closing;
  }

  static QueueOpening begin(Kernel kernel, String what) throws VfioException {
    int number = EventFd.request(kernel);
    Answer.require("eventfd", what, number, "");
    return new QueueOpening(kernel, EventFd.of(kernel, number, what));
  }

  /** Ends the opening, and returns why. */
  VfioException failed(VfioException why) {
    closing.close();
    return why;
  }

  /** Takes over the file that the kernel gave. */
  QueueFile file(int number, IommufdObject object) {
    return new QueueFile(kernel, number, closing, object.toString());
  }

  /** Closes a queue's file, and ends the deliveries of its events. */
  static void close(String object, QueueChannel<?> channel) throws VfioException {
    int answer = channel.queue().close();
    channel.subscriber().sourceClosed();
    Answer.require("close", object, answer, "");
  }
}
