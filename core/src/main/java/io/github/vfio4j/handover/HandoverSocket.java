package io.github.vfio4j.handover;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.UnixSocket;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A connected UNIX socket through which open files go: {@code SOCK_SEQPACKET}, {@code sendmsg} and
 * {@code recvmsg} with {@code SCM_RIGHTS}. A message arrives whole or not at all.
 *
 * <p>Thread-safe: each message is sent and received at once. Closing it wakes whoever waits; after
 * it methods throw {@link IllegalStateException}. Waiting blocks the carrier of a virtual thread.
 */
public final class HandoverSocket implements AutoCloseable {
  /** How many files one message may have: as many as the kernel passes at once. */
  public static final int MOST_FILES = UnixSocket.MOST_FILES;

  /** How many bytes one message may have. */
  public static final int MOST_BYTES = 1 << 16;

  private static final Errno EPIPE = new Errno(32);
  private static final Errno EPROTOTYPE = new Errno(91);
  private static final Errno ECONNRESET = new Errno(104);
  private static final Errno ETOOMANYREFS = new Errno(109);
  private static final Errno ECONNREFUSED = new Errno(111);

  private final Kernel kernel;
  private final UnixSocket socket;

  private HandoverSocket(Kernel kernel, UnixSocket socket) {
    this.kernel = kernel;
    this.socket = socket;
  }

  /**
   * Connects to whoever listens at a path.
   *
   * @param path the socket's file, as {@link HandoverListener} makes one
   * @param timeout how long to wait for room in the listener's queue
   * @return the socket; the caller closes it
   * @throws IllegalArgumentException if the path is longer than the 107 bytes that a socket's can
   *     have, or the timeout is negative
   * @throws VfioException if nobody listens there, or the kernel refuses otherwise
   */
  public static HandoverSocket connect(Path path, Duration timeout) throws VfioException {
    byte[] bytes = HandoverListener.bytes(path);
    long nanos = Timeout.nanos(timeout);
    Kernel kernel = RunningKernel.get();
    try (Rollback rollback = new Rollback()) {
      UnixSocket socket = new UnixSocket(kernel, path);
      rollback.add(socket::close);
      Answer.require("socket", path.toString(), socket.open(), "");
      int answer = socket.connect(nanos, bytes);
      Answer.require("connect", path.toString(), answer, whyNotConnected(answer, timeout));
      return rollback.done(new HandoverSocket(kernel, socket));
    }
  }

  private static String whyNotConnected(int answer, Duration timeout) {
    if (Answer.is(answer, Errno.EAGAIN)) {
      return "who listens there has not accepted earlier connections within " + timeout;
    }
    return Answer.is(answer, ECONNREFUSED)
        ? "nobody listens there"
        : Answer.is(answer, EPROTOTYPE) ? "it is a socket of another kind" : "";
  }

  /**
   * Makes two sockets that are connected to each other, one of which is then passed on through a
   * third: a child of this process does not inherit it. To reach a child, listen at a path and tell
   * it the path.
   *
   * @return both; the caller closes them
   * @throws VfioException if the kernel refuses
   */
  public static List<HandoverSocket> pair() throws VfioException {
    Kernel kernel = RunningKernel.get();
    try (Rollback rollback = new Rollback()) {
      UnixSocket one = new UnixSocket(kernel, "socket pair");
      UnixSocket other = new UnixSocket(kernel, "socket pair");
      List<HandoverSocket> pair =
          List.of(new HandoverSocket(kernel, one), new HandoverSocket(kernel, other));
      rollback.add(one::close);
      rollback.add(other::close);
      Answer.require("socketpair", "socket pair", UnixSocket.openPair(kernel, one, other), "");
      return rollback.done(pair);
    }
  }

  /**
   * Uses a socket that somebody else has connected and passed to this process.
   *
   * @param fd the number of the open file, which is duplicated; but closing this socket ends the
   *     connection for whoever has it
   * @return the socket; the caller closes it
   * @throws VfioException if the number is not that of a UNIX socket of type {@code SOCK_SEQPACKET}
   */
  public static HandoverSocket ofFd(int fd) throws VfioException {
    Kernel kernel = RunningKernel.get();
    String object = "passed file " + fd;
    UnixSocket socket = new UnixSocket(kernel, object);
    HandoverSocket opened = new HandoverSocket(kernel, socket);
    try (Rollback rollback = new Rollback()) {
      rollback.add(socket.fd()::close); // which leaves the connection as it is
      int answer = socket.take(kernel.duplicate(fd));
      Answer.require("fcntl", object, answer, "it is not an open file of this process");
      int such = socket.isSuch();
      Answer.require("getsockopt", object, such, "it is no socket");
      if (such == 0) {
        throw new VfioException(
            "getsockopt", object, null, "it is not a UNIX socket of type SOCK_SEQPACKET");
      }
      return rollback.done(opened);
    }
  }

  /** Takes over a socket that was accepted. */
  static HandoverSocket accepted(Kernel kernel, UnixSocket socket) {
    return new HandoverSocket(kernel, socket);
  }

  /**
   * Returns the number of the file, to be passed on. It is this object's: do not close it.
   *
   * @return the descriptor
   * @throws IllegalStateException if it is closed
   */
  public int fd() {
    int fd = socket.fd().acquire();
    socket.fd().release();
    return fd;
  }

  /**
   * Returns who is at the other end; {@code SO_PEERCRED}. Of a pair it is who made it.
   *
   * @return process and user
   * @throws IllegalStateException if it is closed
   * @throws VfioException if the kernel refuses
   */
  public Peer peer() throws VfioException {
    UnixSocket.Peer peer = socket.peer();
    Answer.require("getsockopt", toString(), peer.answer(), "");
    return new Peer(peer.pid(), peer.user(), peer.group());
  }

  /**
   * Sends a message; {@code sendmsg}. The files stay open here.
   *
   * @param bytes from 1 to {@link #MOST_BYTES}
   * @param files what goes along, at most {@link #MOST_FILES}
   * @param timeout how long to wait for room in the other side's queue
   * @throws IllegalArgumentException if there is no byte, or too much of either, or the timeout is
   *     negative
   * @throws IllegalStateException if one of the files is closed
   * @throws VfioException if the other side has ended, takes nothing in that time, or the kernel
   *     refuses otherwise; nothing was sent then
   */
  public void send(byte[] bytes, List<OpenFile> files, Duration timeout) throws VfioException {
    List<OpenFile> sent = List.copyOf(files); // another thread may change the caller's
    if (bytes.length == 0 || bytes.length > MOST_BYTES || sent.size() > MOST_FILES) {
      throw new IllegalArgumentException(
          "a message has 1 to %d bytes and up to %d files, not %d and %d"
              .formatted(MOST_BYTES, MOST_FILES, bytes.length, sent.size()));
    }
    long nanos = Timeout.nanos(timeout);
    List<Integer> numbers = new ArrayList<>(sent.size());
    try (Arena arena = Arena.ofConfined()) {
      for (OpenFile file : sent) {
        numbers.add(file.file().acquire());
      }
      MemorySegment copy = arena.allocateFrom(JAVA_BYTE, bytes);
      long answer = socket.send(copy, numbers, nanos);
      Answer.require("sendmsg", toString(), answer, whyNotSent(answer, timeout));
    } finally {
      for (int i = 0; i < numbers.size(); i++) {
        sent.get(i).file().release();
      }
    }
  }

  private static String whyNotSent(long answer, Duration timeout) {
    if (Answer.is(answer, Errno.EAGAIN)) {
      return "the other side has taken nothing within " + timeout;
    }
    if (Answer.is(answer, EPIPE) || Answer.is(answer, ECONNRESET)) {
      return "the other side has closed the connection";
    }
    return Answer.is(answer, ETOOMANYREFS)
        ? "too many files of this user are under way in sockets already"
        : "";
  }

  /**
   * Waits for a message and receives it; {@code recvmsg}. Its files are closed on exec.
   *
   * <p>Nothing that the other side sends leaves a file open here that is not in the message: one
   * that has more than is allowed is refused, and all that came with it is closed.
   *
   * @param mostBytes as many as it may have, from 1 to {@link #MOST_BYTES}
   * @param mostFiles as many as it may have, from 0 to {@link #MOST_FILES}
   * @param timeout how long to wait; zero only looks
   * @return the message, which the caller closes; empty when the time ran out
   * @throws IllegalArgumentException if a number is not in its range, or the timeout is negative
   * @throws IllegalStateException if the socket is closed, or gets closed while waiting
   * @throws VfioException if the other side has closed the connection, the message has more than
   *     allowed, this process can have no more open files, or the kernel refuses otherwise
   */
  public Optional<Message> receive(int mostBytes, int mostFiles, Duration timeout)
      throws VfioException {
    if (mostBytes < 1 || mostBytes > MOST_BYTES || mostFiles < 0 || mostFiles > MOST_FILES) {
      throw new IllegalArgumentException(
          "a message has 1 to %d bytes and up to %d files, not %d and %d"
              .formatted(MOST_BYTES, MOST_FILES, mostBytes, mostFiles));
    }
    long nanos = Timeout.nanos(timeout);
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      MemorySegment room = arena.allocate(mostBytes);
      List<Fd> files = new ArrayList<>(mostFiles);
      for (int i = 0; i < mostFiles; i++) {
        Fd file = new Fd(kernel, "received file " + i);
        files.add(file);
        rollback.add(file::close);
      }
      UnixSocket.Arrival arrival = socket.receive(room, files, nanos);
      if (Answer.is(arrival.answer(), Errno.EAGAIN)) {
        return Optional.empty();
      }
      if (Answer.is(arrival.answer(), ECONNRESET)) {
        throw new ConnectionEndedException(this);
      }
      long size = Answer.require("recvmsg", toString(), arrival.answer(), "");
      if (arrival.cut()) {
        throw new VfioException(
            "recvmsg",
            toString(),
            null,
            "the message has more than %d bytes or %d files, or this process has no room for more"
                    .formatted(mostBytes, mostFiles)
                + " open files; it is lost");
      }
      if (size <= 0 || size > mostBytes) {
        throw new ConnectionEndedException(this);
      }
      byte[] bytes = room.asSlice(0, size).toArray(JAVA_BYTE);
      List<OpenFile> received =
          files.subList(0, arrival.files()).stream().map(OpenFile::new).toList();
      return rollback.done(Optional.of(new Message(bytes, received)));
    }
  }

  /**
   * Ends the connection, and wakes whoever waits. Later calls do nothing.
   *
   * @throws VfioException if the kernel tells of an error; it is closed all the same
   */
  @Override
  public void close() throws VfioException {
    Answer.require("close", toString(), socket.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "socket " + socket.fd().object();
  }
}
