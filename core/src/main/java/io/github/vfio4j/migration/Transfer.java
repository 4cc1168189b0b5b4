package io.github.vfio4j.migration;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.WritableByteChannel;
import java.util.function.LongConsumer;

/** Carries a device's data from its file to a channel, or the other way, piece by piece. */
final class Transfer {
  private static final int PIECE = 1 << 20;

  private final LongConsumer progress;
  private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
  private long bytes;

  Transfer(LongConsumer progress) {
    this.progress = progress;
  }

  /** Returns how many bytes were carried. */
  long bytes() {
    return bytes;
  }

  /** Refuses a channel that would answer at once that it has nothing, again and again. */
  static void requireBlocking(Channel channel) {
    if (channel instanceof SelectableChannel selectable && !selectable.isBlocking()) {
      throw new IllegalBlockingModeException();
    }
  }

  /** Carries all that there is, up to the end of the stream. */
  void drain(DataFile data, WritableByteChannel target) throws IOException {
    while (true) {
      long count = data.read(piece.clear(), true);
      if (count == 0) {
        return;
      }
      if (count == DataFile.END_FOR_NOW) {
        throw new VfioException(
            "read", data.toString(), Errno.ENOMSG, "more is to come of a device that has stopped");
      }
      if (count != DataFile.NOTHING_YET) {
        deliver(target);
      }
    }
  }

  /** Carries what there is just now, and no more than so many bytes. */
  void drain(DataFile data, WritableByteChannel target, long most) throws IOException {
    for (long left = most; left > 0; ) {
      long count = data.read(piece.clear().limit((int) Math.min(left, PIECE)), false);
      if (count <= 0) { // mtty says that it is the end where it is one for now
        return;
      }
      deliver(target);
      left -= count;
    }
  }

  private void deliver(WritableByteChannel target) throws IOException {
    piece.flip();
    int count = piece.remaining();
    while (piece.hasRemaining()) {
      if (target.write(piece) == 0) {
        checkInterrupt("write");
      }
    }
    carried(count);
  }

  /** Carries all that the source has. */
  void fill(DataFile data, ReadableByteChannel source) throws IOException {
    while (source.read(piece.clear()) >= 0) {
      piece.flip();
      if (!piece.hasRemaining()) {
        checkInterrupt("read");
      }
      while (piece.hasRemaining()) { // the driver may take less than it is given
        long count = data.write(piece);
        if (count != DataFile.NOTHING_YET) {
          carried(count);
        }
      }
    }
  }

  private void carried(long count) {
    bytes += count;
    progress.accept(bytes);
  }

  private static void checkInterrupt(String operation) throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException(operation + " was interrupted");
    }
  }
}
