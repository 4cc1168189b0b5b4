package io.github.vfio4j.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The queue of commands to the controller itself: one at a time, each waited for, and beside it one
 * request for an event, which stays with the controller until there is one. Thread-safe.
 */
final class AdminQueue implements AutoCloseable {
  static final int ENTRIES = 32;
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final int SPINS = 1000;
  private static final long PAUSE_NANOS = 20_000;
  private static final long BETWEEN_LOOKS_NANOS = 10_000_000;
  private static final int NONE = -1;

  /** What a command asks. */
  record Command(
      String name,
      int opcode,
      int namespace,
      int word10,
      int word11,
      int word12,
      int word13,
      int word14,
      int word15) {
    Command(String name, int opcode, int namespace, int word10, int word11) {
      this(name, opcode, namespace, word10, word11, 0, 0, 0, 0);
    }

    Command(String name, int opcode, int namespace) {
      this(name, opcode, namespace, 0, 0);
    }
  }

  private final String device;
  private final ControllerRegisters registers;
  private final Rings rings;
  private final DmaBuffer page;
  private final IoAddressSpace space;
  private @Nullable ShadowDoorbells doorbells;

  /** Whoever has it gives commands, or resets the controller. It is taken before the monitor. */
  private final ReentrantLock turn = new ReentrantLock();

  /** How often the controller was started. */
  private volatile int starts;

  /** The last of the starts whose commands are answered no more. */
  private volatile int givenUp;

  /** The slot of the command that is waited for, until it is answered; under the monitor. */
  private int waiting = NONE;

  private int result;
  private int status;

  /** The slot of the request for an event, until it is answered; under the monitor. */
  private int eventSlot = NONE;

  private boolean hasEvent;
  private int event;
  private int eventStatus;

  AdminQueue(String device, ControllerRegisters registers, IoAddressSpace space)
      throws VfioException {
    this.device = device;
    this.registers = registers;
    this.space = space;
    this.rings = new Rings(registers, space, 0, ENTRIES, false, null);
    try {
      this.page = space.allocate(Math.max(Rings.PAGE, space.granule()));
    } catch (Throwable e) {
      try (rings) {
        throw e;
      }
    }
  }

  /**
   * Stops the controller, which forgets all commands. Whoever waits for one of them gets an
   * exception at once, and further ones are refused.
   */
  void stop() throws VfioException {
    giveUp(starts);
    turn.lock();
    try {
      registers.disable();
      clear();
    } finally {
      turn.unlock();
    }
  }

  /** Starts the controller, which was stopped. */
  void start() throws VfioException {
    turn.lock();
    try {
      registers.enable(rings);
      synchronized (this) {
        starts++;
      }
    } finally {
      turn.unlock();
    }
  }

  /** Returns the number of the last start. */
  int starts() {
    return starts;
  }

  /**
   * Has whoever waits for a command stop that, and refuses further ones, until the controller is
   * started again.
   *
   * @param start the start that is meant: one that came since goes on
   */
  synchronized void giveUp(int start) {
    givenUp = Math.max(givenUp, start);
  }

  private boolean isGivenUp() {
    return givenUp >= starts;
  }

  private synchronized void clear() {
    rings.clear();
    waiting = NONE;
    eventSlot = NONE;
    hasEvent = false;
  }

  /**
   * Has the controller fill a page, and hands out what it has written.
   *
   * @return a copy on the heap, which nobody else has
   */
  byte[] ask(Command command) throws VfioException {
    turn.lock();
    try {
      requireFree(command);
      page.segment().asSlice(0, Rings.PAGE).fill((byte) 0);
      issue(command, page.iova(), Rings.PAGE, PATIENCE);
      return page.segment().asSlice(0, Rings.PAGE).toArray(JAVA_BYTE);
    } finally {
      turn.unlock();
    }
  }

  /** Hands a page to the controller, and returns the first word of its answer. */
  int hand(Command command, byte[] content) throws VfioException {
    turn.lock();
    try {
      requireFree(command);
      page.segment().asSlice(0, Rings.PAGE).fill((byte) 0);
      page.segment().asByteBuffer().put(content);
      return issue(command, page.iova(), Rings.PAGE, PATIENCE);
    } finally {
      turn.unlock();
    }
  }

  /** Has the controller do something without data, and returns the first word of its answer. */
  int tell(Command command) throws VfioException {
    return tell(command, PATIENCE);
  }

  /** As {@link #tell(Command)}, for what may take longer, or shall not. */
  int tell(Command command, Duration patience) throws VfioException {
    return move(command, 0, 0, patience);
  }

  /** Tells the controller of a queue at an IOVA. */
  void tell(Command command, long iova) throws VfioException {
    int _ = move(command, iova, Long.BYTES, PATIENCE);
  }

  /** Has the controller move data to or from contiguous IOVAs. */
  int move(Command command, long iova, long size, Duration patience) throws VfioException {
    turn.lock();
    try {
      return issue(command, iova, size, patience);
    } finally {
      turn.unlock();
    }
  }

  /**
   * Has the controller look at doorbells in memory, until it is stopped.
   *
   * @return the doorbells, or null if it does not want to
   */
  @Nullable ShadowDoorbells shareDoorbells() throws VfioException {
    turn.lock();
    try {
      if (doorbells == null) {
        doorbells = new ShadowDoorbells(space);
      }
      synchronized (this) {
        rings.ringIn(doorbells);
      }
      int _ =
          issue(
              new Command("Doorbell Buffer Config", Opcode.DOORBELL_BUFFERS, 0),
              doorbells.iova(),
              ShadowDoorbells.SIZE,
              PATIENCE);
      return doorbells;
    } catch (NvmeException e) { // there are the others
      synchronized (this) {
        rings.ringIn(null);
      }
      return null;
    } finally {
      turn.unlock();
    }
  }

  private int issue(Command command, long iova, long size, Duration patience) throws VfioException {
    long limit = QueuePair.nanos(patience);
    begin(command, iova, size);
    long start = System.nanoTime();
    long looked = start;
    for (int looks = 0; !isAnswered(); looks++) {
      if (isGivenUp()) {
        throw new VfioException(command.name, device, null, "the controller is reset, or closed");
      }
      if (looks > SPINS) {
        long now = System.nanoTime();
        if (now - looked > BETWEEN_LOOKS_NANOS) {
          registers.requireAlive(command.name);
          looked = now;
        }
        if (now - start > limit && !isAnswered()) {
          throw new DeviceTimeoutException(
              command.name, device, null, "no answer within " + patience.toMillis() + " ms");
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    if (!new NvmeStatus(status).isSuccess()) {
      throw new NvmeException(command.name, device, status);
    }
    return result;
  }

  private synchronized void begin(Command command, long iova, long size) throws VfioException {
    requireFree(command);
    waiting = put(command, iova, size);
  }

  /** Refuses a command that comes too early, or too late. */
  private synchronized void requireFree(Command command) throws VfioException {
    take();
    if (isGivenUp()) {
      throw new VfioException(
          command.name,
          device,
          null,
          "the controller is being reset, or did not start again; reset it");
    }
    if (rings.outstanding() > (eventSlot == NONE ? 0 : 1)) { // which may still write to the page
      throw new VfioException(
          command.name,
          device,
          null,
          "an earlier command was never answered; reset the controller");
    }
  }

  private int put(Command command, long iova, long size) {
    int slot = rings.begin(command.opcode, command.namespace);
    if (size > 0) {
      rings.pages(slot, iova, size);
    }
    rings.words(10, command.word10, command.word11);
    rings.words(12, command.word12, command.word13);
    rings.words(14, command.word14, command.word15);
    rings.end();
    rings.ring();
    return slot;
  }

  private synchronized boolean isAnswered() {
    take();
    return waiting == NONE;
  }

  /** Takes what the controller has answered, as much as the queue holds. */
  private synchronized void take() {
    for (int i = 0; i < ENTRIES; i++) {
      int slot = rings.take();
      if (slot == NONE) {
        return;
      }
      rings.acknowledge();
      if (slot == waiting) {
        waiting = NONE;
        result = rings.result();
        status = rings.status();
      } else if (slot == eventSlot) {
        eventSlot = NONE;
        hasEvent = true;
        event = rings.result();
        eventStatus = rings.status();
      } // else the answer to a command that nobody waits for any more
    }
  }

  /** Asks the controller for an event, unless it has been asked, or is just being reset. */
  synchronized void requestEvent() {
    take();
    if (eventSlot == NONE && !hasEvent && !isGivenUp() && rings.outstanding() < rings.slots()) {
      eventSlot = put(new Command("", Opcode.ASYNCHRONOUS_EVENT_REQUEST, 0), 0, 0);
    }
  }

  /** Takes the event that the controller has answered with, if it has, without waiting. */
  synchronized OptionalInt takeEvent() throws VfioException {
    take();
    if (!hasEvent) {
      return OptionalInt.empty();
    }
    hasEvent = false;
    if (!new NvmeStatus(eventStatus).isSuccess()) {
      throw new NvmeException("Asynchronous Event Request", device, eventStatus);
    }
    return OptionalInt.of(event);
  }

  @Override
  public void close() throws VfioException {
    giveUp(starts);
    turn.lock();
    try (rings;
        page;
        ShadowDoorbells _ = doorbells) {
      // all, whatever becomes of the one
    } finally {
      turn.unlock();
    }
  }
}
