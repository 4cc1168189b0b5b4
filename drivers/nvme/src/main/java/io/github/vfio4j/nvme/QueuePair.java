package io.github.vfio4j.nvme;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
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
  private static final long BETWEEN_LOOKS_NANOS = 100_000_000;
  private static final int FORCE_UNIT_ACCESS = 1 << 30;
  private static final int DEALLOCATE = 1 << 2;
  private static final int RANGE = 16;
  private static final int MOST_RANGES = 256;
  private static final int MOST_BLOCKS = 1 << 16;
  private static final int ALL_ZONES = 1 << 8;
  private static final int AS_MANY_AS_HAVE_ROOM = 1 << 16;

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

    /**
     * Called in place of {@link #ended} where {@link QueuePair#append} was successful. Unless it is
     * overridden it calls that, and the place is lost.
     *
     * @param tag the command's
     * @param block the first block that was written, in the zone that was named
     */
    default void appended(long tag, long block) {
      ended(tag, 0);
    }
  }

  private final NvmeController controller;
  private final int number;
  private final Rings rings;
  private final @Nullable Interrupt interrupt;
  private final long[] tags;
  private final long mostBytes;
  private final int alignment;

  private final long[] appendedFrom;

  /** The last block at which what was appended can begin, by slot; -1 for any other command. */
  private final long[] appendedTo;

  private final LateCommands late;

  /** Which start of the controller knows the queues. */
  private int era;

  /** For which start of the controller the commands in the queue are. */
  private int begun;

  /** Tags of commands that a reset has ended, and of whose end nobody has been told yet. */
  private final ArrayDeque<Long> forgotten = new ArrayDeque<>();

  private boolean closed;

  /** Takes over queues that the controller knows. */
  QueuePair(
      NvmeController controller, int number, Rings rings, @Nullable Interrupt interrupt, int era) {
    this.controller = controller;
    this.number = number;
    this.rings = rings;
    this.interrupt = interrupt;
    this.era = era;
    this.begun = era;
    this.tags = new long[rings.slots()];
    this.appendedFrom = new long[rings.slots()];
    this.appendedTo = new long[rings.slots()];
    Arrays.fill(appendedTo, -1);
    this.late = new LateCommands(rings.slots());
    this.mostBytes = controller.identity().maximumTransfer();
    this.alignment = controller.identity().dataAlignment();
  }

  int number() {
    return number;
  }

  int era() {
    return era;
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
   * Returns whether its commands are put into memory of the controller's own, see {@link
   * NvmeSetup#queuesInControllerMemory}.
   *
   * @return whether they are; where not, the controller fetches them from this host's memory
   */
  public boolean isInControllerMemory() {
    return rings.areInControllerMemory();
  }

  /**
   * Returns how many commands are under way, or in the queue.
   *
   * @return the number
   */
  public int outstanding() {
    return rings.outstanding() + forgotten.size();
  }

  /**
   * Puts a command into the queue that reads blocks.
   *
   * @param namespace where
   * @param block the first one
   * @param target where to; its size, whole blocks, says how many, and is at most {@link
   *     ControllerIdentity#maximumTransfer}; its IOVA is a multiple of {@link
   *     ControllerIdentity#dataAlignment}
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if the size is not whole blocks, too large, or not aligned as
   *     the controller wants it
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
    long count = count(namespace, data);
    checkRange(namespace, block, count);
    int slot =
        rings.begin(opcode, namespace.id(), data.iova(), data.size(), block, (count - 1) | flags);
    if (slot < 0) {
      return false;
    }
    end(slot, tag);
    return true;
  }

  /** Returns how many blocks data has that a command can move. */
  private long count(Namespace namespace, DmaSlice data) {
    long size = data.size();
    if ((size & (namespace.blockSize() - 1)) != 0
        || size > mostBytes
        || (data.iova() & (alignment - 1)) != 0) {
      throw badData(namespace, data);
    }
    return size >>> Integer.numberOfTrailingZeros(namespace.blockSize());
  }

  private IllegalArgumentException badData(Namespace namespace, DmaSlice data) {
    return new IllegalArgumentException(
        "0x%x bytes at 0x%x: a command moves whole blocks of %d bytes, up to 0x%x bytes, aligned to %d"
            .formatted(data.size(), data.iova(), namespace.blockSize(), mostBytes, alignment));
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

  private void end(int slot, long tag) {
    rings.end();
    tags[slot] = tag;
    late.begin(slot);
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
    int slot = rings.begin(opcode, namespace.id(), 0, 0, block, count - 1);
    if (slot < 0) {
      return false;
    }
    end(slot, tag);
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
    rings.pages(slot, ranges.iova(), ranges.size());
    rings.words(10, (int) count - 1, DEALLOCATE);
    end(slot, tag);
    return true;
  }

  /**
   * Puts a command into the queue that writes blocks to a zone, wherever the controller wants to:
   * several can be under way, and all come after what was there. {@link Completions#appended} is
   * told of the place.
   *
   * @param namespace where
   * @param zone the first block of the zone
   * @param source what is written; its size, whole blocks, is at most {@link
   *     ZonedNamespace#maximumAppend}, its alignment that of {@link #write}
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if the size is not whole blocks, too large, or not aligned as
   *     the controller wants it
   * @throws IndexOutOfBoundsException if no zone starts there, or the blocks are too many for it
   */
  public boolean append(ZonedNamespace namespace, long zone, DmaSlice source, long tag) {
    requireOpen();
    Namespace blocks = namespace.namespace();
    if (source.size() > namespace.maximumAppend()) {
      throw new IllegalArgumentException(
          "0x%x bytes: a command appends up to 0x%x"
              .formatted(source.size(), namespace.maximumAppend()));
    }
    requireStart(namespace, zone);
    long count = count(blocks, source);
    checkRange(blocks, zone, count);
    if (count > namespace.zoneBlocks()) {
      throw new IndexOutOfBoundsException(
          "%d blocks, for a zone of %d".formatted(count, namespace.zoneBlocks()));
    }
    int slot =
        rings.begin(Opcode.ZONE_APPEND, blocks.id(), source.iova(), source.size(), zone, count - 1);
    if (slot < 0) {
      return false;
    }
    end(slot, tag);
    appendedFrom[slot] = zone;
    appendedTo[slot] = zone + namespace.zoneBlocks() - count;
    return true;
  }

  static void requireStart(ZonedNamespace namespace, long block) {
    if (!namespace.isStart(block)) {
      throw new IndexOutOfBoundsException(
          "no zone starts at block %d: there are %d of %d blocks"
              .formatted(block, namespace.zones(), namespace.zoneBlocks()));
    }
  }

  /**
   * Puts a command into the queue that does something with a zone.
   *
   * @param namespace where
   * @param action what
   * @param zone the first block of the zone
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IndexOutOfBoundsException if no zone starts there
   */
  public boolean manage(ZonedNamespace namespace, ZoneAction action, long zone, long tag) {
    requireStart(namespace, zone);
    return manage(namespace, zone, action.number(), tag);
  }

  /**
   * Puts a command into the queue that does something with all zones for which it makes sense, as
   * {@link Zones#manageAll} says.
   *
   * @param namespace where
   * @param action what
   * @param tag returned when it has ended
   * @return false if the queue is full
   */
  public boolean manageAll(ZonedNamespace namespace, ZoneAction action, long tag) {
    return manage(namespace, 0, ALL_ZONES | action.number(), tag);
  }

  private boolean manage(ZonedNamespace namespace, long zone, int word13, long tag) {
    requireOpen();
    int slot = rings.begin(Opcode.ZONE_MANAGEMENT_SEND, namespace.namespace().id());
    if (slot < 0) {
      return false;
    }
    rings.words(10, (int) zone, (int) (zone >>> 32));
    rings.words(12, 0, word13);
    end(slot, tag);
    return true;
  }

  /**
   * Puts a command into the queue that tells of zones, as many as there is room for.
   *
   * @param namespace where
   * @param block in the first of the zones
   * @param target where to: 64 bytes, and 64 for each zone; {@link Zone#of} takes it apart
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if there is no room for a zone, or the size is no multiple of
   *     64, too large, or not aligned to 4 bytes
   * @throws IndexOutOfBoundsException if the namespace has no such block
   */
  public boolean report(ZonedNamespace namespace, long block, DmaSlice target, long tag) {
    requireOpen();
    requireReport(target);
    controller.requireMovable(target);
    checkRange(namespace.namespace(), block, 1);
    int slot =
        rings.begin(
            Opcode.ZONE_MANAGEMENT_RECEIVE,
            namespace.namespace().id(),
            target.iova(),
            target.size(),
            block,
            target.size() / Integer.BYTES - 1 | (long) AS_MANY_AS_HAVE_ROOM << 32);
    if (slot < 0) {
      return false;
    }
    end(slot, tag);
    return true;
  }

  static void requireReport(DmaSlice report) {
    if (report.size() < 2 * Zone.DESCRIPTOR || report.size() % Zone.DESCRIPTOR != 0) {
      throw new IllegalArgumentException(
          report.size()
              + " bytes are not 64, and 64 for each zone, of which there is one at least");
    }
  }

  /**
   * Puts a command into the queue that was put together by hand and moves no data. See {@link
   * NvmeCommand} for what that can do.
   *
   * @param command the command
   * @param tag returned when it has ended
   * @return false if the queue is full
   */
  public boolean command(NvmeCommand command, long tag) {
    requireOpen();
    int slot = rings.begin(command.opcode(), command.namespace());
    if (slot < 0) {
      return false;
    }
    end(slot, command, tag);
    return true;
  }

  /**
   * Puts a command into the queue that was put together by hand and moves data. See {@link
   * NvmeCommand} for what that can do.
   *
   * @param command the command
   * @param data what it reads or writes: as much as the command says, or the controller goes beyond
   *     it; at most {@link ControllerIdentity#maximumTransfer}
   * @param tag returned when it has ended
   * @return false if the queue is full
   * @throws IllegalArgumentException if the data is too large, or not aligned to 4 bytes
   */
  public boolean command(NvmeCommand command, DmaSlice data, long tag) {
    requireOpen();
    controller.requireMovable(data);
    int slot = rings.begin(command.opcode(), command.namespace());
    if (slot < 0) {
      return false;
    }
    // By pages also where there are many: data may be more than a command moves, which not all
    // controllers take that know descriptors.
    rings.pages(slot, data.iova(), data.size());
    end(slot, command, tag);
    return true;
  }

  private void end(int slot, NvmeCommand command, long tag) {
    rings.words(10, command.word10(), command.word11());
    rings.words(12, command.word12(), command.word13());
    rings.words(14, command.word14(), command.word15());
    end(slot, tag);
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
   * are all that were under way, with the status {@link NvmeStatus#ABORTED_BY_HOST}; new ones go
   * on. That a controller does not answer any more this does not notice; see {@link #recover}.
   *
   * @param completions is told of each
   * @return how many there were
   * @throws NoSuchDeviceException if, after a reset that failed, all ends were told of, and the
   *     device has gone
   * @throws VfioException if the controller answers what was not asked; or, after a reset, all ends
   *     were told of and the controller does not run, or refuses the queues
   */
  public int poll(Completions completions) throws VfioException {
    requireOpen();
    if (era != controller.era() || !forgotten.isEmpty()) {
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
        if (appendedTo[slot] >= 0) {
          endAppend(completions, slot);
        } else {
          completions.ended(tags[slot], rings.status());
        }
      }
    } finally {
      if (taken > 0 && !closed && era == controller.era()) { // who was told may have ended that
        rings.acknowledge();
      }
    }
  }

  private void endAppend(Completions completions, int slot) throws VfioException {
    long from = appendedFrom[slot];
    long to = appendedTo[slot];
    appendedTo[slot] = -1;
    if (rings.status() != 0) {
      completions.ended(tags[slot], rings.status());
      return;
    }
    long block = rings.longResult();
    if (block >= from && block <= to) {
      completions.appended(tags[slot], block);
      return;
    }
    VfioException failure =
        new VfioException(
            "poll",
            toString(),
            null,
            "the controller has appended blocks at %s, not from %d to %d"
                .formatted(Long.toUnsignedString(block), from, to));
    completions.ended(tags[slot], NvmeStatus.ABORTED_BY_HOST.bits());
    throw failure;
  }

  /** Makes the queues known to the controller again, and ends what it has forgotten. */
  private int startAnew(Completions completions) throws VfioException {
    VfioException failure = null;
    if (era != controller.era()) {
      forget();
      try {
        era = controller.announce(this);
        begun = era;
        rings.ring(); // what was put into the queue since, if it was refused before
      } catch (VfioException e) {
        failure = e;
      }
    }
    int ended = 0;
    for (int left = forgotten.size(); left > 0; left--) {
      ended++;
      completions.ended(forgotten.remove(), NvmeStatus.ABORTED_BY_HOST.bits());
    }
    if (failure != null && ended == 0) {
      throw failure;
    }
    return ended;
  }

  private void forget() {
    int current = controller.era();
    if (begun == current) {
      return;
    }
    for (int slot = 0; slot < rings.slots(); slot++) {
      if (rings.isBusy(slot)) {
        forgotten.add(tags[slot]);
      }
    }
    rings.clear();
    Arrays.fill(appendedTo, -1);
    begun = current;
  }

  /**
   * Hands out commands that have ended, and waits until there are some: by polling, or for the
   * interrupt where the pair has one.
   *
   * @param completions is told of each
   * @param timeout how long to wait
   * @return how many there were, at least one
   * @throws IllegalArgumentException if the timeout is negative
   * @throws ControllerFatalException if the controller has failed; those under way end when it is
   *     {@linkplain NvmeController#reset reset}
   * @throws NoSuchDeviceException if the device has gone; a reset, which fails, ends those under
   *     way here, too
   * @throws DeviceTimeoutException if none ended in time; those under way may still end, unless
   *     {@link #recover} sees to that
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
      int taken = await(completions, Math.min(left, BETWEEN_LOOKS_NANOS));
      if (taken > 0) {
        return taken;
      }
      controller.requireAlive();
      if (left <= BETWEEN_LOOKS_NANOS) {
        throw new DeviceTimeoutException(
            "await",
            toString(),
            null,
            "none of %d commands ended within %d ms"
                .formatted(rings.outstanding(), timeout.toMillis()));
      }
    }
  }

  /** Waits, but for a part of the time: what is wrong with a controller no interrupt tells. */
  private int await(Completions completions, long nanos) throws VfioException {
    long begin = System.nanoTime();
    while (true) {
      long left = nanos - (System.nanoTime() - begin);
      int taken = poll(completions); // after the time was taken, so that the last look is late
      if (taken > 0 || left <= 0) {
        return taken;
      }
      if (interrupt == null) {
        Thread.onSpinWait();
      } else {
        interrupt.awaitNanos(left);
      }
    }
  }

  /**
   * Sees to it that commands end: hands out those that have, asks the controller to abort those
   * that take longer than they may, and resets it where that does not help within the same time
   * again, or where it has failed. Then all have ended, with {@link NvmeStatus#ABORTED_BY_HOST}:
   * none is lost, and none ends twice. What a write of them has changed is not known.
   *
   * <p>The age of a command counts from the first call that sees it in the queue, so that putting
   * it into the queue needs no clock: call this now and then, a few times within the limit, also
   * before it is reached. It costs about a microsecond where nothing is late, and waits for the
   * controller otherwise. A reset ends the commands of the other queue pairs, too; several pairs
   * that find the controller dead at a time reset it once.
   *
   * @param completions is told of those that have ended
   * @param limit how long a command may take
   * @return what had to be done
   * @throws IllegalArgumentException if the limit is not positive
   * @throws NoSuchDeviceException if the device has gone; all commands have ended
   * @throws VfioException if the reset fails, in which case all commands have ended, and {@link
   *     NvmeController#reset} is the next thing to try; or as {@link #poll}
   */
  public Recovery recover(Completions completions, Duration limit) throws VfioException {
    requirePositive(limit);
    try {
      int _ = poll(completions);
    } catch (VfioException e) {
      if (era == controller.era()) {
        throw e;
      }
      return reset(completions); // it was reset, and does not know the queues
    }
    try {
      controller.requireAlive();
    } catch (ControllerFatalException | NoSuchDeviceException e) {
      return reset(completions);
    }
    Recovery done = Recovery.NONE;
    for (int slot = 0; slot < rings.slots(); slot++) {
      if (rings.isBusy(slot)) {
        Recovery due = late.due(slot, System.nanoTime(), nanos(limit));
        if (due == Recovery.RESET || (due == Recovery.ABORT && !requestAbort(slot, limit))) {
          return reset(completions);
        }
        if (due == Recovery.ABORT) {
          late.abort(slot, System.nanoTime());
          done = Recovery.ABORT;
        }
      }
    }
    return done;
  }

  /** Returns whether the controller has answered, whatever it said. */
  private boolean requestAbort(int slot, Duration patience) throws VfioException {
    try {
      boolean _ = controller.abort(number, slot, patience);
      return true;
    } catch (NvmeException e) {
      return true; // it may be about to end, and has its time for it
    } catch (VfioException e) {
      return false;
    }
  }

  private Recovery reset(Completions completions) throws VfioException {
    try {
      controller.reset(begun);
    } catch (VfioException e) {
      try {
        int _ = startAnew(completions);
      } catch (VfioException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    int _ = poll(completions);
    return Recovery.RESET;
  }

  /**
   * Waits until all commands have ended, and has those end that take too long, as {@link #recover}
   * does.
   *
   * @param completions is told of each; what it puts into the queue is waited for, too
   * @param limit how long a command may take
   * @throws IllegalArgumentException if the limit is not positive
   * @throws VfioException as {@link #recover}
   */
  public void drain(Completions completions, Duration limit) throws VfioException {
    requirePositive(limit);
    long between = Math.min(BETWEEN_LOOKS_NANOS, nanos(limit) / 4 + 1);
    long looked = System.nanoTime();
    while (outstanding() > 0) {
      submit();
      int _ = await(completions, between);
      if (System.nanoTime() - looked >= between) { // also while others end
        Recovery _ = recover(completions, limit);
        looked = System.nanoTime();
      }
    }
  }

  private static void requirePositive(Duration limit) {
    if (limit.isNegative() || limit.isZero()) {
      throw new IllegalArgumentException("a limit that is not positive: " + limit);
    }
  }

  /**
   * Asks the controller to abort commands that are under way. They end as others do: with the
   * status Command Abort Requested if it has aborted them.
   *
   * @param tag theirs
   * @return how many commands of that tag it says that it has aborted; it need not do so, and one
   *     that is done at that moment is not
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public int abort(long tag) throws VfioException {
    requireOpen();
    int count = 0;
    for (int slot = 0; slot < rings.slots() && era == controller.era(); slot++) {
      if (rings.isBusy(slot)
          && tags[slot] == tag
          && controller.abort(number, slot, AdminQueue.PATIENCE)) {
        count++;
      }
    }
    return count;
  }

  static long nanos(Duration timeout) {
    return timeout.compareTo(LONGEST) < 0 ? timeout.toNanos() : LONGEST.toNanos();
  }

  private void requireOpen() {
    if (closed || !rings.isAlive()) {
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
