package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and its completion queue, with their doorbells. Hot code: it allocates
 * nothing, takes no lock, and is for one thread at a time.
 *
 * <p>A command has its place in the queue and a slot, whose number is its identifier, from {@link
 * #begin} until {@link #take} has returned it. The controller finds it there from {@link #ring} on.
 */
final class Rings implements AutoCloseable {
  static final int PAGE = 4096;

  private static final int COMPLETION = 16;
  private static final int DOORBELLS = 0x1000;
  private static final int BY_DESCRIPTOR = 1 << 14;
  private static final int BUSY = -2;

  /** As many pages as a list of one page names, beside the first page of the data. */
  static final long MOST_BYTES = PAGE / Long.BYTES * (long) PAGE;

  private final MappedRegion registers;
  private final DmaBuffer memory;
  private final MemorySegment.Scope scope;
  private final ControllerMemory.@Nullable Part part;
  private final SubmissionQueue commands;
  private final DmaSlice completions;
  private final MemorySegment completionMemory;
  private final DmaSlice lists;

  /** What a list is put together in. */
  private final long[] pages = new long[PAGE / Long.BYTES];

  private final int entries;
  private final long tailDoorbell;
  private final long headDoorbell;
  private final boolean always;
  private final boolean hasDescriptors;

  /** For each slot, {@link #BUSY}, or the free one after it; -1 after the last. */
  private final int[] next;

  private int free;
  private int outstanding;
  private int tail;

  /** What the controller was told last; the same value again would be an error. */
  private int rung;

  private int head;
  private int acknowledged;
  private int phase = 1;
  private @Nullable ShadowDoorbells shadow;

  private int status;

  /**
   * Allocates queues of as many entries, of which one always stays empty. The commands are in a
   * part of the controller's memory, which these rings own from now on, where there is one.
   *
   * @param hasDescriptors whether the controller knows descriptors of data (SGLs) in these queues
   */
  Rings(
      ControllerRegisters registers,
      IoAddressSpace space,
      int number,
      int entries,
      boolean hasDescriptors,
      ControllerMemory.@Nullable Part part)
      throws VfioException {
    this.registers = registers.mapped();
    this.entries = entries;
    this.hasDescriptors = hasDescriptors;
    this.part = part;
    int doorbellStride = registers.capabilities().doorbellStride();
    this.tailDoorbell = DOORBELLS + 2L * number * doorbellStride;
    this.headDoorbell = tailDoorbell + doorbellStride;
    if (headDoorbell + Integer.BYTES > this.registers.size()) {
      throw new VfioException(
          "create queue pair",
          this.registers.toString(),
          null,
          "it has no room for the doorbells of pair " + number);
    }
    // Controllers differ in whether the doorbells of admin commands are in memory.
    this.always = number == 0;
    long commandBytes = part != null ? 0 : SubmissionQueue.size(entries);
    long completionBytes = roundUp((long) entries * COMPLETION, PAGE);
    int slots = entries - 1;
    this.memory =
        space.allocate(
            roundUp(commandBytes + completionBytes + (long) slots * PAGE, space.granule()));
    this.scope = memory.segment().scope();
    this.commands =
        part != null
            ? SubmissionQueue.of(entries, part)
            : SubmissionQueue.of(entries, memory.slice(0, commandBytes));
    this.completions = memory.slice(commandBytes, completionBytes);
    this.completionMemory = completions.segment();
    this.lists = memory.slice(commandBytes + completionBytes, (long) slots * PAGE);
    this.next = new int[slots];
    clear();
  }

  static long roundUp(long bytes, long unit) {
    return (bytes + unit - 1) / unit * unit;
  }

  /** Forgets all commands, for a controller that has forgotten them, too. */
  void clear() {
    completions.segment().fill((byte) 0);
    tail = 0;
    rung = 0;
    head = 0;
    acknowledged = 0;
    shadow = null;
    phase = 1;
    free = 0;
    outstanding = 0;
    for (int slot = 0; slot < next.length; slot++) {
      next[slot] = slot + 1 < next.length ? slot + 1 : -1;
    }
  }

  /** Has doorbells be rung in memory, unless that is null, until the queues are cleared. */
  void ringIn(@Nullable ShadowDoorbells doorbells) {
    if (doorbells != null) {
      doorbells.begin(tailDoorbell - DOORBELLS, rung);
      doorbells.begin(headDoorbell - DOORBELLS, acknowledged);
    }
    shadow = doorbells;
  }

  int entries() {
    return entries;
  }

  int slots() {
    return next.length;
  }

  int outstanding() {
    return outstanding;
  }

  boolean isBusy(int slot) {
    return next[slot] == BUSY;
  }

  /** Returns whether the memory of the queues is still there. */
  boolean isAlive() {
    return scope.isAlive();
  }

  boolean areInControllerMemory() {
    return commands.isInControllerMemory();
  }

  long commandsIova() {
    return commands.iova();
  }

  long completionsIova() {
    return completions.iova();
  }

  /**
   * Begins a command, with all of its fields but the first two being 0.
   *
   * @return its slot, or -1 if all are taken
   */
  int begin(int opcode, int namespace) {
    return begin(opcode, namespace, 0, 0, 0, 0);
  }

  /**
   * Begins a command with its words 10 to 13; the last two are 0, and so is what names data where
   * there is none.
   *
   * <p>Data is named by one descriptor where the controller knows that, and a list of pages would
   * have to be written otherwise, or its IOVA is no multiple of 4.
   *
   * @return its slot, or -1 if all are taken
   */
  int begin(int opcode, int namespace, long iova, long size, long word10, long word12) {
    int slot = free;
    if (slot < 0) {
      return -1;
    }
    free = next[slot];
    next[slot] = BUSY;
    outstanding++;
    int kind = opcode;
    long more;
    long end = (iova & PAGE - 1) + size;
    if (end <= 2 * PAGE && (iova & 3) == 0) {
      more = end <= PAGE ? 0 : (iova & -PAGE) + PAGE;
    } else if (hasDescriptors) {
      kind |= BY_DESCRIPTOR;
      more = size; // less than 2^32; the type above it is 0, a block of data
    } else {
      more = otherPages(slot, iova, size);
    }
    long first = Integer.toUnsignedLong(kind | slot << 16) | (long) namespace << 32;
    commands.set(tail, first, iova, more, word10, word12);
    return slot;
  }

  /** Says where the data is by its pages: contiguous IOVAs, from a multiple of 4 on. */
  void pages(int slot, long iova, long size) {
    commands.set(tail, 6, iova);
    commands.set(tail, 8, otherPages(slot, iova, size));
  }

  /** Returns what a command says of the pages of its data but the first. */
  private long otherPages(int slot, long iova, long size) {
    long next = (iova & -PAGE) + PAGE;
    long end = iova + size;
    return end <= next ? 0 : end <= next + PAGE ? next : list(slot, next, end);
  }

  /** Lists pages; returns where. */
  private long list(int slot, long first, long end) {
    long list = (long) slot * PAGE;
    int count = 0;
    for (long page = first; page < end; page += PAGE) {
      pages[count++] = page;
    }
    MemorySegment.copy(pages, 0, lists.segment(), LittleEndian.LONG, list, count);
    return lists.iova() + list;
  }

  /** Sets two of the last six words of the command, which are words 10 to 15. */
  void words(int first, int low, int high) {
    commands.set(tail, first, Integer.toUnsignedLong(low) | (long) high << 32);
  }

  /** Ends the command; the controller sees it with the next {@link #ring}. */
  void end() {
    tail = tail + 1 == entries ? 0 : tail + 1;
  }

  /** Tells the controller of all commands. */
  void ring() {
    if (tail != rung) {
      commands.publish(rung, tail);
      ring(tailDoorbell, rung, tail);
      rung = tail;
    }
  }

  /**
   * Takes the next completion.
   *
   * @return the slot of its command, which is free again; -1 if there is none, and -2 if it is that
   *     of no command that is under way
   */
  int take() {
    long entry = (long) head * COMPLETION;
    int last = (int) LittleEndian.INT.getAcquire(completionMemory, entry + 12);
    if ((last >>> 16 & 1) != phase) {
      return -1;
    }
    status = last >>> 17;
    if (++head == entries) {
      head = 0;
      phase ^= 1;
    }
    int slot = last & 0xffff;
    if (slot >= next.length || next[slot] != BUSY) {
      return -2;
    }
    next[slot] = free;
    free = slot;
    outstanding--;
    return slot;
  }

  /** Returns the first word of the completion that was taken last, and that is still there. */
  int result() {
    return completions.getInt(taken());
  }

  /** Returns the first two words of the completion that was taken last, and that is still there. */
  long longResult() {
    return completions.getLong(taken());
  }

  /** Returns where the completion is that was taken last. */
  private long taken() {
    return (long) (head == 0 ? entries - 1 : head - 1) * COMPLETION;
  }

  /** Returns the status of the completion that was taken last. */
  int status() {
    return status;
  }

  /** Tells the controller which completions were taken, unless it knows. */
  void acknowledge() {
    if (head != acknowledged) {
      ring(headDoorbell, acknowledged, head);
      acknowledged = head;
    }
  }

  private void ring(long doorbell, int before, int value) {
    if (shadow == null || shadow.ring(doorbell - DOORBELLS, before, value) || always) {
      registers.setIntRelease(doorbell, value);
    }
  }

  @Override
  public void close() throws VfioException {
    try (part) {
      memory.close();
    }
  }
}
