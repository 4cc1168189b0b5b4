package io.github.vfio4j;

import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.QueueFile;

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
    if (number < 0) {
      throw Failure.of("eventfd", what, number, "");
    }
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
  static void close(EventSource queue, QueueFile file) throws VfioException {
    EventDispatcher.Registration consumer = queue.registration();
    int answer = file.close();
    if (consumer != null) {
      consumer.sourceClosed();
    }
    if (answer < 0) {
      throw Failure.of("close", queue.toString(), answer, "");
    }
  }
}
