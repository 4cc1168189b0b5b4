package io.github.vfio4j.handover;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Closing;
import java.util.List;

/**
 * A message that has arrived, with the files that came along. Whoever sent it decides what they
 * are: prove it before use, as {@link io.github.vfio4j.iommufd.Iommufd#ofFd} and the others do.
 *
 * <p>Closing it closes the files that have not been closed.
 */
public final class Message implements AutoCloseable {
  private final byte[] bytes;
  private final List<OpenFile> files;

  Message(byte[] bytes, List<OpenFile> files) {
    this.bytes = bytes;
    this.files = files;
  }

  /**
   * Returns what was sent.
   *
   * @return a copy of the bytes
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /**
   * Returns the files, in the order in which they were sent.
   *
   * @return the files, unmodifiable; this message owns them
   */
  public List<OpenFile> files() {
    return files;
  }

  /**
   * Closes all files. Later calls do nothing.
   *
   * @throws VfioException if the kernel tells of an error; all are closed all the same
   */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    files.forEach(file -> closing.attempt(file::close));
    closing.rethrow();
  }

  /** Says how much there is. */
  @Override
  public String toString() {
    return "message of %d bytes and %d files".formatted(bytes.length, files.size());
  }
}
