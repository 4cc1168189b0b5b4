package io.github.vfio4j.nvme;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and its completion queue: how blocks are read and written.
 *
 * <p>Commands are put into the queue, one by one; {@link #submit} tells the controller of them all
 * at once, and {@link #poll} hands out those that are done. Nothing of that allocates or takes a
 * lock. A pair is for one thread at a time; have one for each thread.
 *
 * <p>A command has a tag of the caller's choice, by which its end is told. A full queue is no
 * error: the methods that put a command into it return false, and the caller polls first.
 *
 * <p>The memory of a command is the device's until the command has ended. The controller owns the
 * pair, and closes it; afterwards its methods throw {@link IllegalStateException}, as they do when
 * the device was closed.
 */
public final class QueuePair implements AutoCloseable {
  private static final Duration LONGEST = Duration.ofDays(10_000);
  private static final int FORCE_UNIT_ACCESS = 1 << 30;
  private static final int DEALLOCATE = 1 << 2;
  private static final int RANGE = 16;
  private static final int MOST_RANGES = 256;
  private static final int MOST_BLOCKS = 1 << 16;

  /** Is told how commands end. */
  @FunctionalInterface
  public interface Completions {
    /**
     * Called once for each command, by the thread that polls. It may put new commands into the
     * queue.
     *
     * @param tag the command's
     * @param status 0 if it was successful, else what {@link NvmeStatus} takes
     */
    void ended(long tag, int status);
  }

  private final NvmeController controller;
  private final int number;
  private final Rings rings;
  private final @Nullable Interrupt interrupt;
  private final long[] tags;
  private final long mostBytes;

  /** Which start of the controller the queues were made for. */
  private int era;

  private boolean closed;

  /** Takes over queues that the controller knows. */
  QueuePair(
      NvmeController controller, int number, Rings rings, @Nullable Interrupt interrupt, int era) {
    this.controller = controller;
    this.number = number;
    this.rings = rings;
    this.interrupt = interrupt;
    this.era = era;
    this.tags = new long[rings.slots()];
    this.mostBytes = controller.identity().maximumTransfer();
  }

  int number() {
    return number;
  }

  Rings rings() {
    return rings;
  }

  @Nullable Interrupt interrupt() {
    return interrupt;
  }

  /**
   * Returns how many commands can be under way.
   *
   * @return the number
   */
  public int depth() {
    return rings.slots();
  }

  /**
   * Returns how many commands are under way, or in the queue.
   *
   * @return the number
   */
  public int outstanding() {
    return rings.outstanding();
  }

  /**
   * Puts a command into the queue that reads blocks.
   *
   * @param namespace where
   * @param block the first one
   * @param target where to; its size, whole blocks, says how many, and is at most {@link
   *     ControllerIdentity#maximumTransfer}
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if the size is not whole blocks, too large, or not aligned to
   *     4 bytes
   * @throws IndexOutOfBoundsException if the namespace has no such blocks
   */
  public boolean read(Namespace namespace, long block, DmaSlice target, long tag) {
    return transfer(Opcode.READ, namespace, block, target, 0, tag);
  }

  /**
   * Puts a command into the queue that writes blocks.
   *
   * @param namespace where
   * @param block the first one
   * @param source as {@link #read}'s target
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException as {@link #read}
   * @throws IndexOutOfBoundsException as {@link #read}
   */
  public boolean write(Namespace namespace, long block, DmaSlice source, long tag) {
    return transfer(Opcode.WRITE, namespace, block, source, 0, tag);
  }

  /**
   * Puts a command into the queue that writes blocks, and ends only when they are on the medium.
   *
   * @param namespace where
   * @param block the first one
   * @param source as {@link #read}'s target
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException as {@link #read}
   * @throws IndexOutOfBoundsException as {@link #read}
   */
  public boolean writeThrough(Namespace namespace, long block, DmaSlice source, long tag) {
    return transfer(Opcode.WRITE, namespace, block, source, FORCE_UNIT_ACCESS, tag);
  }

  /**
   * Puts a command into the queue that compares blocks with memory, where {@link
   * ControllerIdentity#hasCompare} says so; a difference is the status Compare Failure.
   *
   * @param namespace where
   * @param block the first one
   * @param expected as {@link #read}'s target
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException as {@link #read}
   * @throws IndexOutOfBoundsException as {@link #read}
   */
  public boolean compare(Namespace namespace, long block, DmaSlice expected, long tag) {
    return transfer(Opcode.COMPARE, namespace, block, expected, 0, tag);
  }

  private boolean transfer(
      int opcode, Namespace namespace, long block, DmaSlice data, int flags, long tag) {
    requireOpen();
    long size = data.size();
    int shift = Integer.numberOfTrailingZeros(namespace.blockSize());
    if ((size & (namespace.blockSize() - 1)) != 0 || size > mostBytes || (data.iova() & 3) != 0) {
      throw badData(namespace, data);
    }
    long count = size >>> shift;
    checkRange(namespace, block, count);
    int slot = rings.begin(opcode, namespace.id());
    if (slot < 0) {
      return false;
    }
    rings.data(slot, data.iova(), size);
    end(slot, block, ((int) count - 1) | flags, tag);
    return true;
  }

  private IllegalArgumentException badData(Namespace namespace, DmaSlice data) {
    return new IllegalArgumentException(
        "0x%x bytes at 0x%x: a command moves whole blocks of %d bytes, up to 0x%x bytes, aligned to 4"
            .formatted(data.size(), data.iova(), namespace.blockSize(), mostBytes));
  }

  private static void checkRange(Namespace namespace, long block, long count) {
    if (block < 0
        || count <= 0
        || count > MOST_BLOCKS
        || count > namespace.blocks()
        || block > namespace.blocks() - count) {
      throw new IndexOutOfBoundsException(
          "%d blocks from %d on, of %d; a command takes up to %d"
              .formatted(count, block, namespace.blocks(), MOST_BLOCKS));
    }
  }

  private void end(int slot, long block, int word12, long tag) {
    rings.words(10, (int) block, (int) (block >>> 32));
    rings.words(12, word12, 0);
    end(slot, tag);
  }

  private void end(int slot, long tag) {
    rings.end();
    tags[slot] = tag;
  }

  /**
   * Puts a command into the queue after whose end all that was written before is on the medium.
   *
   * @param namespace which one
   * @param tag returned when it has ended
   * @return false if the queue is full
   */
  public boolean flush(Namespace namespace, long tag) {
    requireOpen();
    int slot = rings.begin(Opcode.FLUSH, namespace.id());
    if (slot < 0) {
      return false;
    }
    end(slot, tag);
    return true;
  }

  /**
   * Puts a command into the queue that fills blocks with zeros, where {@link
   * ControllerIdentity#hasWriteZeroes} says so.
   *
   * @param namespace where
   * @param block the first one
   * @param count how many, up to 65,536
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IndexOutOfBoundsException if the namespace has no such blocks, or they are too many
   */
  public boolean writeZeroes(Namespace namespace, long block, int count, long tag) {
    return withoutData(Opcode.WRITE_ZEROES, namespace, block, count, tag);
  }

  /**
   * Puts a command into the queue that checks that blocks can be read, where {@link
   * ControllerIdentity#hasVerify} says so.
   *
   * @param namespace where
   * @param block the first one
   * @param count how many, up to 65,536
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IndexOutOfBoundsException if the namespace has no such blocks, or they are too many
   */
  public boolean verify(Namespace namespace, long block, int count, long tag) {
    return withoutData(Opcode.VERIFY, namespace, block, count, tag);
  }

  private boolean withoutData(int opcode, Namespace namespace, long block, int count, long tag) {
    requireOpen();
    checkRange(namespace, block, count);
    int slot = rings.begin(opcode, namespace.id());
    if (slot < 0) {
      return false;
    }
    end(slot, block, count - 1, tag);
    return true;
  }

  /**
   * Puts a command into the queue that lets blocks go, whose content does not matter any more,
   * where {@link ControllerIdentity#hasDeallocate} says so.
   *
   * @param namespace where
   * @param ranges up to 256 descriptors of 16 bytes, which {@link #range} writes
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if the size is not that of 1 to 256 descriptors
   */
  public boolean deallocate(Namespace namespace, DmaSlice ranges, long tag) {
    requireOpen();
    long count = ranges.size() / RANGE;
    if (count * RANGE != ranges.size() || count == 0 || count > MOST_RANGES) {
      throw new IllegalArgumentException(ranges.size() + " bytes are not 1 to 256 ranges of 16");
    }
    int slot = rings.begin(Opcode.DATASET_MANAGEMENT, namespace.id());
    if (slot < 0) {
      return false;
    }
    rings.data(slot, ranges.iova(), ranges.size());
    rings.words(10, (int) count - 1, DEALLOCATE);
    end(slot, tag);
    return true;
  }

  /**
   * Writes a descriptor for {@link #deallocate}.
   *
   * @param namespace where
   * @param ranges where the descriptor goes
   * @param index its number, from 0
   * @param block the first one
   * @param count how many
   * @throws IndexOutOfBoundsException if the namespace has no such blocks, or there is no room
   */
  public static void range(Namespace namespace, DmaSlice ranges, int index, long block, int count) {
    if (block < 0 || count <= 0 || block > namespace.blocks() - count) {
      throw new IndexOutOfBoundsException(
          "%d blocks from %d on, of %d".formatted(count, block, namespace.blocks()));
    }
    long at = (long) index * RANGE;
    ranges.setInt(at, 0);
    ranges.setInt(at + 4, count);
    ranges.setLong(at + 8, block);
  }

  /** Tells the controller of all commands in the queue: one write to a doorbell. */
  public void submit() {
    requireOpen();
    if (era == controller.era()) {
      rings.ring();
    }
  }

  /**
   * Hands out the commands that have ended, without waiting. After a reset of the controller these
   * are all that were under way, with the status Command Abort Requested; new ones go on.
   *
   * @param completions is told of each
   * @return how many there were
   * @throws VfioException if the controller answers what was not asked, or, after a reset, refuses
   *     the queues
   */
  public int poll(Completions completions) throws VfioException {
    requireOpen();
    if (era != controller.era()) {
      return startAnew(completions);
    }
    int taken = 0;
    try {
      while (true) {
        int slot = rings.take();
        if (slot == -1) {
          return taken;
        }
        taken++;
        if (slot == -2) {
          throw new VfioException(
              "poll", toString(), null, "the controller ended a command that was not under way");
        }
        completions.ended(tags[slot], rings.status());
      }
    } finally {
      if (taken > 0) {
        rings.acknowledge();
      }
    }
  }

  /** Ends what the controller has forgotten, and makes the queues known to it again. */
  private int startAnew(Completions completions) throws VfioException {
    int current = controller.era();
    int ended = 0;
    for (int slot = 0; slot < rings.slots(); slot++) {
      if (rings.isBusy(slot)) {
        rings.release(slot);
        ended++;
        completions.ended(tags[slot], NvmeStatus.ABORTED_BY_RESET);
      }
    }
    rings.clear();
    controller.announce(this);
    era = current;
    return ended;
  }

  /**
   * Hands out commands that have ended, and waits until there are some: by polling, or for the
   * interrupt where the pair has one.
   *
   * @param completions is told of each
   * @param timeout how long to wait
   * @return how many there were, at least one
   * @throws IllegalArgumentException if the timeout is negative
   * @throws DeviceTimeoutException if none ended in time; those under way may still end, unless the
   *     controller is {@linkplain NvmeController#reset reset}
   * @throws VfioException as {@link #poll}, or if the kernel refuses to wait
   */
  public int await(Completions completions, Duration timeout) throws VfioException {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    long nanos = nanos(timeout);
    long begin = System.nanoTime();
    while (true) {
      long left = nanos - (System.nanoTime() - begin);
      int taken = poll(completions); // after the time was taken, so that the last look is late
      if (taken > 0) {
        return taken;
      }
      if (left <= 0) {
        throw new DeviceTimeoutException(
            "await",
            toString(),
            null,
            "none of %d commands ended within %d ms"
                .formatted(rings.outstanding(), timeout.toMillis()));
      }
      if (interrupt == null) {
        Thread.onSpinWait();
      } else {
        interrupt.awaitNanos(left);
      }
    }
  }

  private static long nanos(Duration timeout) {
    return timeout.compareTo(LONGEST) < 0 ? timeout.toNanos() : LONGEST.toNanos();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
  }

  /**
   * Takes the queues from the controller; commands that are under way end without being told of.
   */
  @Override
  public void close() throws VfioException {
    if (!closed) {
      controller.withdraw(this);
      closed = true;
    }
  }

  /** Returns which pair of which controller it is. */
  @Override
  public String toString() {
    return "queue pair " + number + " of " + controller;
  }
}
