package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * Where a guest's console is written to. A reader who has gone ends the machine, and one who does
 * not read keeps no processor of it longer than the machine lasts. Thread-safe.
 */
final class GuestConsole extends OutputStream {
  private final FileChannel channel;
  private final Thread waiting;
  private volatile boolean ended;
  private volatile @Nullable IOException failure;

  /**
   * Makes one.
   *
   * @param waiting the thread that waits for the machine, and is interrupted where the console
   *     cannot be written
   */
  GuestConsole(FileChannel channel, Thread waiting) {
    this.channel = channel;
    this.waiting = waiting;
  }

  @Override
  public void write(int value) {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (ended) {
      return;
    }
    ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
    try {
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
    } catch (IOException e) {
      if (!ended) {
        ended = true;
        failure = e;
        waiting.interrupt();
      }
    }
  }

  /** Lets who writes go on, also where nobody reads; nothing is written any more. */
  void end() throws IOException {
    ended = true;
    channel.close();
  }

  /** Throws if it could not be written. */
  void rethrow() throws VfioException {
    IOException cause = failure;
    if (cause != null) {
      VfioException thrown =
          new VfioException(
              "write", "the guest's console", null, String.valueOf(cause.getMessage()));
      thrown.initCause(cause);
      throw thrown;
    }
  }
}
