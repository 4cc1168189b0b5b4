package io.github.vfio4j.migration;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/**
 * Takes the data of another device for one that is being restored: what a {@link SavingStream} gave
 * out, whole and in its order, in pieces of any size.
 *
 * <p>{@link Migration#moveTo} opens one by reaching RESUMING; it is closed when the device leaves
 * this state, and with its {@link Migration}. All methods may be called from any thread, and
 * threads write one after the other.
 */
public final class ResumingStream implements WritableByteChannel {
  private final DataFile data;

  ResumingStream(DataFile data) {
    this.data = data;
  }

  /**
   * Writes what there is room for, and waits for room at most a tenth of a second.
   *
   * @param source what to write, of which at most 1 MiB is taken
   * @return how many bytes were written, perhaps 0
   * @throws java.nio.channels.ClosedChannelException if it is closed, or gets closed meanwhile
   * @throws java.io.InterruptedIOException if the thread was interrupted, which it then still is
   * @throws VfioException if the driver does not take it: it is not the data of such a device
   */
  @Override
  public int write(ByteBuffer source) throws IOException {
    if (!source.hasRemaining()) {
      return 0;
    }
    long count = data.write(source);
    return count == DataFile.NOTHING_YET ? 0 : (int) count;
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
