package io.github.vfio4j.migration;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_precopy_info;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.linux.StreamFile;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The file by which the data of a device is read or written. All that can fail is made before the
 * kernel is asked for it.
 */
final class DataFile {
  /** The answer where nothing is there yet. */
  static final long NOTHING_YET = Long.MIN_VALUE;

  /** The answer where nothing is there, and more may come as the device runs. */
  static final long END_FOR_NOW = -1;

  /** After this time a waiting thread looks whether it was interrupted. */
  private static final long LOOK_NANOS = 100_000_000;

  private static final long ROOM = 1 << 20;

  private final StreamFile file;
  private final String name;
  private final boolean saving;
  private final MemorySegment room = Arena.ofAuto().allocate(ROOM, Long.BYTES);

  /** Held while the room is in use, never by who closes. */
  private final ReentrantLock using = new ReentrantLock();

  private DataFile(StreamFile file, String name, boolean saving) {
    this.file = file;
    this.name = name;
    this.saving = saving;
  }

  /**
   * Makes room for a file.
   *
   * @param rollback closes it
   * @param saving whether it will be read
   */
  static DataFile prepare(Rollback rollback, Kernel kernel, String device, boolean saving)
      throws VfioException {
    String name = "the data of " + device;
    EventFd closing = new EventFd(kernel, name);
    DataFile data = new DataFile(new StreamFile(kernel, closing, name), name, saving);
    rollback.add(data::close);
    Answer.require("eventfd", name, closing.open(), "");
    return data;
  }

  /** Takes over the open file; a negative number is of none. */
  void take(int number) {
    file.take(number);
  }

  /** Returns whether the file is of use in a state. */
  boolean serves(DeviceState state) {
    return saving ? state.isSaving() : state == DeviceState.RESUMING;
  }

  boolean isSaving() {
    return saving;
  }

  boolean isClosed() {
    return file.isClosed();
  }

  /**
   * Reads what there is; threads read one after the other.
   *
   * @param target where it goes, as much as has room
   * @param waiting whether to wait a moment for something to be there; in PRE_COPY it may never be
   * @return how many bytes it were, 0 at the end, {@link #END_FOR_NOW}, or {@link #NOTHING_YET}
   * @throws ClosedChannelException if it is or gets closed
   * @throws InterruptedIOException if the thread was interrupted, which it then still is
   * @throws VfioException if the kernel refuses
   */
  long read(ByteBuffer target, boolean waiting) throws IOException {
    using.lock();
    try {
      MemorySegment piece = room.asSlice(0, Math.min(target.remaining(), ROOM));
      checkInterrupt("read");
      if (waiting && require("poll", file.awaitReadable(LOOK_NANOS)) == 0) {
        return NOTHING_YET;
      }
      long answer = file.read(piece);
      if (isTemporary(answer)) {
        return NOTHING_YET;
      }
      if (Answer.is(answer, Errno.ENOMSG)) {
        return END_FOR_NOW;
      }
      long count = checked("read", answer, piece.byteSize());
      target.put(piece.asSlice(0, count).asByteBuffer());
      return count;
    } catch (IllegalStateException e) {
      throw closed(e);
    } finally {
      using.unlock();
    }
  }

  /**
   * Writes what there is room for; threads write one after the other.
   *
   * @param source what is written, which then starts after it
   * @return how many bytes it were, above 0, or {@link #NOTHING_YET}
   * @throws IOException as {@link #read}
   */
  long write(ByteBuffer source) throws IOException {
    using.lock();
    try {
      int length = (int) Math.min(source.remaining(), ROOM);
      room.asByteBuffer().put(source.slice(source.position(), length));
      checkInterrupt("write");
      if (require("poll", file.awaitWritable(LOOK_NANOS)) == 0) {
        return NOTHING_YET;
      }
      long answer = file.write(room.asSlice(0, length));
      if (isTemporary(answer)) {
        return NOTHING_YET;
      }
      if (answer == 0) {
        throw new VfioException("write", name, null, "the driver takes nothing");
      }
      long count = checked("write", answer, length);
      source.position(source.position() + (int) count);
      return count;
    } catch (IllegalStateException e) {
      throw closed(e);
    } finally {
      using.unlock();
    }
  }

  private static boolean isTemporary(long answer) {
    return Answer.is(answer, Errno.EINTR) || Answer.is(answer, Errno.EAGAIN);
  }

  private long require(String operation, long answer) throws VfioException {
    String meaning = Answer.is(answer, Errno.ENODEV) ? "the device was reset, or has gone" : "";
    return Answer.require(operation, name, answer, meaning);
  }

  private long checked(String operation, long answer, long most) throws VfioException {
    if (require(operation, answer) > most) {
      throw new VfioException(
          operation, name, null, "the kernel's reply has %d bytes of %d".formatted(answer, most));
    }
    return answer;
  }

  private void checkInterrupt(String operation) throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException(operation + " on " + name + ": it was interrupted");
    }
  }

  private static ClosedChannelException closed(IllegalStateException cause) {
    ClosedChannelException closed = new AsynchronousCloseException();
    closed.initCause(cause);
    return closed;
  }

  /**
   * Asks how much there is to read while the device runs; {@code VFIO_MIG_GET_PRECOPY_INFO}.
   *
   * @param v2 whether the flags mean anything
   * @throws IllegalStateException if the file is closed
   */
  PrecopyInfo precopyInfo(boolean v2) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = Request.of(arena, vfio_precopy_info.LAYOUT);
      int answer = file.ioctl(Ioctl.VFIO_MIG_GET_PRECOPY_INFO, info);
      if (answer < 0) {
        String meaning = Answer.is(answer, Errno.EINVAL) ? "the device is not in PRE_COPY" : "";
        throw Answer.failure(Ioctl.VFIO_MIG_GET_PRECOPY_INFO, name, answer, meaning);
      }
      long initial = vfio_precopy_info.initial_bytes(info);
      long dirty = vfio_precopy_info.dirty_bytes(info);
      if (initial < 0 || dirty < 0) {
        throw Answer.impossible(
            Ioctl.VFIO_MIG_GET_PRECOPY_INFO,
            name,
            "%s initial and %s dirty bytes"
                .formatted(Long.toUnsignedString(initial), Long.toUnsignedString(dirty)));
      }
      int reinit = vfio_precopy_info.flags(info) & vfio_h.VFIO_PRECOPY_INFO_REINIT;
      return new PrecopyInfo(initial, dirty, v2 && reinit != 0);
    }
  }

  /** Closes the file, once. */
  void close() throws VfioException {
    Answer.require("close", name, file.close(), "");
  }

  @Override
  public String toString() {
    return name;
  }
}
