package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and its completion queue, with their doorbells. Hot code: it allocates
 * nothing, takes no lock, and is for one thread at a time.
 *
 * <p>A command is put together in its place in the queue. It has a slot, whose number is its
 * identifier, from {@link #begin} until {@link #take} has returned it.
 */
final class Rings implements AutoCloseable {
  static final int PAGE = 4096;

  private static final int COMMAND = SubmissionQueue.COMMAND;
  private static final int COMPLETION = 16;
  private static final int DOORBELLS = 0x1000;
  private static final int BY_DESCRIPTOR = 1 << 14;

  /** As many pages as a list of one page names, beside the first page of the data. */
  static final long MOST_BYTES = PAGE / Long.BYTES * (long) PAGE;

  private final MappedRegion registers;
  private final DmaBuffer memory;
  private final ControllerMemory.@Nullable Part part;
  private final SubmissionQueue commands;
  private final DmaSlice completions;
  private final DmaSlice lists;
  private final long listsIova;
  private final int entries;
  private final long tailDoorbell;
  private final long headDoorbell;
  private final boolean always;
  private final boolean hasDescriptors;

  private final int[] free;
  private final boolean[] busy;
  private int freeCount;
  private int tail;

  /** What the controller was told last; the same value again would be an error. */
  private int rung;

  private int head;
  private int acknowledged;
  private int phase = 1;
  private @Nullable ShadowDoorbells shadow;

  /** Where the completion is that was taken last. */
  private long taken;

  /** Where the command is that is being put together. */
  private int at;

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
    this.commands =
        part != null ? SubmissionQueue.of(part) : SubmissionQueue.of(memory.slice(0, commandBytes));
    this.completions = memory.slice(commandBytes, completionBytes);
    this.lists = memory.slice(commandBytes + completionBytes, (long) slots * PAGE);
    this.listsIova = lists.iova();
    this.free = new int[slots];
    this.busy = new boolean[slots];
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
    freeCount = free.length;
    for (int slot = 0; slot < free.length; slot++) {
      free[slot] = free.length - 1 - slot;
      busy[slot] = false;
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
    return free.length;
  }

  int outstanding() {
    return free.length - freeCount;
  }

  boolean isBusy(int slot) {
    return busy[slot];
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
    if (freeCount == 0) {
      return -1;
    }
    int slot = place(opcode, namespace);
    for (int i = 3 * Long.BYTES; i < COMMAND; i += Long.BYTES) {
      commands.setLong(at + i, 0);
    }
    return slot;
  }

  /**
   * Begins a command that moves data, as {@link #transfer} names it, with all of its other fields
   * but the first two being 0.
   *
   * @return its slot, or -1 if all are taken
   */
  int begin(int opcode, int namespace, long iova, long size) {
    if (freeCount == 0) {
      return -1;
    }
    int slot = placeWithData(opcode, namespace, iova, size);
    for (int i = 5 * Long.BYTES; i < COMMAND; i += Long.BYTES) {
      commands.setLong(at + i, 0);
    }
    return slot;
  }

  /** Takes a slot, of which there is one, and a place in the queue. */
  private int place(int opcode, int namespace) {
    int slot = free[--freeCount];
    busy[slot] = true;
    at = tail * COMMAND;
    commands.begin(at, Integer.toUnsignedLong(opcode | slot << 16) | (long) namespace << 32);
    return slot;
  }

  /** Does so for a command that names its data by a descriptor if it is best, else by its pages. */
  private int placeWithData(int opcode, int namespace, long iova, long size) {
    boolean wantsOne = (iova & 3) != 0 || (iova & PAGE - 1) + size > 2 * PAGE;
    if (hasDescriptors && wantsOne) {
      int slot = place(opcode | BY_DESCRIPTOR, namespace);
      commands.setLong(at + 24, iova);
      commands.setLong(at + 32, size); // less than 2^32; the type above it is 0, a block of data
      return slot;
    }
    int slot = place(opcode, namespace);
    pages(slot, iova, size);
    return slot;
  }

  /**
   * Puts a whole command that moves data into the queue. It sets only fields that any command sets;
   * the others are 0 for ever. The data is named by one descriptor where the controller knows that,
   * and a list of pages would have to be written otherwise, or its IOVA is no multiple of 4.
   *
   * @return its slot, or -1 if all are taken
   */
  int transfer(int opcode, int namespace, long iova, long size, long block, long word12) {
    if (freeCount == 0) {
      return -1;
    }
    int slot = placeWithData(opcode, namespace, iova, size);
    commands.setLong(at + 40, block);
    commands.setLong(at + 48, word12);
    commands.setLong(at + 56, 0);
    end();
    return slot;
  }

  /** Says where the data is by its pages: contiguous IOVAs, from a multiple of 4 on. */
  void pages(int slot, long iova, long size) {
    long next = (iova & -PAGE) + PAGE;
    long end = iova + size;
    commands.setLong(at + 24, iova);
    commands.setLong(at + 32, end <= next ? 0 : end <= next + PAGE ? next : list(slot, next, end));
  }

  /** Lists the pages but the first; returns where. */
  private long list(int slot, long next, long end) {
    long list = (long) slot * PAGE;
    for (long entry = list; next < end; entry += Long.BYTES, next += PAGE) {
      lists.setLong(entry, next);
    }
    return listsIova + list;
  }

  /** Sets two of the last six words of the command, from the tenth on. */
  void words(int first, int low, int high) {
    commands.setLong(at + 4L * first, Integer.toUnsignedLong(low) | (long) high << 32);
  }

  /** Ends the command; the controller sees it with the next {@link #ring}. */
  void end() {
    tail = tail + 1 == entries ? 0 : tail + 1;
  }

  /** Tells the controller of all commands. */
  void ring() {
    if (tail != rung) {
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
    int last = completions.getIntAcquire(entry + 12);
    if ((last >>> 16 & 1) != phase) {
      return -1;
    }
    taken = entry;
    status = last >>> 17;
    if (++head == entries) {
      head = 0;
      phase ^= 1;
    }
    int slot = last & 0xffff;
    if (slot >= busy.length || !busy[slot]) {
      return -2;
    }
    release(slot);
    return slot;
  }

  /** Frees the slot of a command that the controller has forgotten. */
  void release(int slot) {
    busy[slot] = false;
    free[freeCount++] = slot;
  }

  /** Returns the first word of the completion that was taken last, and that is still there. */
  int result() {
    return completions.getInt(taken);
  }

  /** Returns the first two words of the completion that was taken last, and that is still there. */
  long longResult() {
    return completions.getLong(taken);
  }

  /** Returns the status of the completion that was taken last. */
  int status() {
    return status;
  }

  /** Tells the controller which completions were taken. */
  void acknowledge() {
    ring(headDoorbell, acknowledged, head);
    acknowledged = head;
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
