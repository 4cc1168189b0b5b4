package io.github.vfio4j.linux;

/** A file whose waiters an eventfd wakes when it is closed, once. */
final class WokenFile {
  private final Fd fd;
  private final EventFd closing;
  private volatile boolean closed;

  /**
   * Takes over both.
   *
   * @param closing an eventfd that nobody else uses
   */
  WokenFile(Fd fd, EventFd closing) {
    this.fd = fd;
    this.closing = closing;
  }

  boolean isClosed() {
    return closed;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException(fd + " is closed");
    }
  }

  /**
   * Wakes whoever waits, waits until they have left, and closes the file, once.
   *
   * @return 0, or the first negated error number
   */
  int close() {
    synchronized (this) {
      if (closed) {
        return 0;
      }
      closed = true;
    }
    long signalled = closing.signal();
    int answer = fd.close();
    int closingAnswer = closing.close();
    if (signalled < 0) {
      return (int) signalled;
    }
    return answer < 0 ? answer : closingAnswer;
  }
}
