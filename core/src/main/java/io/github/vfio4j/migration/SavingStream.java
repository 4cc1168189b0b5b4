package io.github.vfio4j.migration;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/**
 * The data of a device that is being saved, as its driver gives it out: opaque, and in this order.
 *
 * <p>{@link Migration#moveTo} opens one by reaching PRE_COPY or STOP_COPY, and it stays the same
 * one from there to there; it is closed when the device leaves these states, and with its {@link
 * Migration}. All methods may be called from any thread, and threads read one after the other.
 */
public final class SavingStream implements ReadableByteChannel {
  private final DataFile data;

  SavingStream(DataFile data) {
    this.data = data;
  }

  /**
   * Reads what there is, and waits for it at most a tenth of a second. Some drivers cannot tell
   * that they have nothing yet; with them a read may last longer, and cannot be interrupted.
   *
   * @param target where it goes, at most 1 MiB at a time
   * @return how many bytes were read; 0 where there is nothing yet; -1 at the end, which is final
   *     in STOP_COPY alone
   * @throws IllegalArgumentException if the buffer is read-only
   * @throws java.nio.channels.ClosedChannelException if it is closed, or gets closed meanwhile
   * @throws java.io.InterruptedIOException if the thread was interrupted, which it then still is
   * @throws VfioException if the kernel refuses; ENODEV says that the device was reset
   */
  @Override
  public int read(ByteBuffer target) throws IOException {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("the buffer is read-only");
    }
    if (!target.hasRemaining()) {
      return 0;
    }
    long count = data.read(target, true);
    return count == 0 ? -1 : (int) Math.max(0, count);
  }

  @Override
  public boolean isOpen() {
    return !data.isClosed();
  }

  /**
   * Closes the file. The device stays in its state. Later calls do nothing.
   *
   * @throws VfioException if the kernel reports an error; it is closed all the same
   */
  @Override
  public void close() throws VfioException {
    data.close();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return data.toString();
  }
}
