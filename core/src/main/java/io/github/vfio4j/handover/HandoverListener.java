package io.github.vfio4j.handover;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.UnixSocket;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * A UNIX socket at a path, to which other processes connect.
 *
 * <p>Whoever may write to the path may connect: make it in a directory that only they may enter,
 * and ask {@link HandoverSocket#peer} who it was. Thread-safe. Closing wakes whoever waits; after
 * it methods throw {@link IllegalStateException}.
 */
public final class HandoverListener implements AutoCloseable {
  private final Kernel kernel;
  private final Path path;
  private final UnixSocket socket;

  private HandoverListener(Kernel kernel, Path path, UnixSocket socket) {
    this.kernel = kernel;
    this.path = path;
    this.socket = socket;
  }

  /**
   * Listens at a path.
   *
   * @param path the socket's file, which is made, and removed when this is closed
   * @return the listener; the caller closes it
   * @throws IllegalArgumentException if the path is longer than the 107 bytes that a socket's can
   *     have, or empty
   * @throws VfioException if there is a file at the path, or the kernel refuses otherwise
   */
  public static HandoverListener listen(Path path) throws VfioException {
    byte[] bytes = bytes(path);
    Kernel kernel = RunningKernel.get();
    try (Rollback rollback = new Rollback()) {
      UnixSocket socket = new UnixSocket(kernel, path);
      HandoverListener listener = new HandoverListener(kernel, path, socket);
      rollback.add(socket::close);
      Answer.require("socket", path.toString(), socket.open(), "");
      int answer = socket.bind(bytes);
      Answer.require(
          "bind",
          path.toString(),
          answer,
          Answer.is(answer, Errno.EADDRINUSE) ? "there is a file of this name already" : "");
      rollback.add(listener::removePath);
      Answer.require("listen", path.toString(), socket.listen(), "");
      return rollback.done(listener);
    }
  }

  static byte[] bytes(Path path) {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length == 0 || bytes.length > UnixSocket.MOST_PATH) {
      throw new IllegalArgumentException(
          "the path of a socket has 1 to %d bytes, not %d: %s"
              .formatted(UnixSocket.MOST_PATH, bytes.length, path));
    }
    return bytes;
  }

  /**
   * Waits for somebody who connects; {@code accept4}.
   *
   * @param timeout how long to wait; zero only looks
   * @return the socket to them, which the caller closes; empty when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if it is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  public Optional<HandoverSocket> accept(Duration timeout) throws VfioException {
    long nanos = Timeout.nanos(timeout);
    try (Rollback rollback = new Rollback()) {
      UnixSocket accepted = new UnixSocket(kernel, path);
      Optional<HandoverSocket> result = Optional.of(HandoverSocket.accepted(kernel, accepted));
      rollback.add(accepted::close);
      int answer = accepted.take(socket.accept(nanos));
      if (answer < 0 && socket.isClosed()) {
        throw new IllegalStateException(this + " is closed");
      }
      if (Answer.is(answer, Errno.EAGAIN)) {
        return Optional.empty();
      }
      Answer.require("accept4", toString(), answer, "");
      return rollback.done(result);
    }
  }

  /**
   * Stops listening and removes the path; sockets that were accepted stay. Later calls do nothing.
   *
   * @throws VfioException if the path cannot be removed, or the kernel tells of an error; nobody
   *     can connect any more all the same
   */
  @Override
  public synchronized void close() throws VfioException {
    if (socket.isClosed()) {
      return;
    }
    Closing closing = new Closing();
    closing.attempt(this::removePath);
    closing.attempt(() -> Answer.require("close", toString(), socket.close(), ""));
    closing.rethrow();
  }

  private void removePath() throws VfioException {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      VfioException failure = new VfioException("unlink", toString(), null, "" + e.getMessage());
      failure.initCause(e);
      throw failure;
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "listener " + path;
  }
}
