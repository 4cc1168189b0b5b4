package io.github.vfio4j.model.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** The zones of a namespace: how far they are written, and which are open. */
final class ZoneStates {
  static final int DESCRIPTOR = 64;

  private static final int EMPTY = 1;
  private static final int OPENED_BY_WRITE = 2;
  private static final int OPENED = 3;
  private static final int CLOSED = 4;
  private static final int READ_ONLY = 0xd;
  private static final int FULL = 0xe;
  private static final int OFFLINE = 0xf;

  private static final int INVALID_FIELD = 0x002;
  private static final int BOUNDARY = 0x1b8;
  private static final int IS_FULL = 0x1b9;
  private static final int IS_READ_ONLY = 0x1ba;
  private static final int IS_OFFLINE = 0x1bb;
  private static final int INVALID_WRITE = 0x1bc;
  private static final int TOO_MANY_ACTIVE = 0x1bd;
  private static final int TOO_MANY_OPEN = 0x1be;
  private static final int INVALID_TRANSITION = 0x1bf;

  private final int size;
  private final int capacity;
  private final int mostOpen;
  private final int mostActive;
  private final int[] states;
  private final long[] pointers;

  ZoneStates(int zones, int size, int capacity, int mostOpen, int mostActive) {
    this.size = size;
    this.capacity = capacity;
    this.mostOpen = mostOpen;
    this.mostActive = mostActive;
    this.states = new int[zones];
    this.pointers = new long[zones];
    reset();
  }

  void reset() {
    IntStream.range(0, states.length).forEach(this::empty);
  }

  private void empty(int zone) {
    states[zone] = EMPTY;
    pointers[zone] = (long) zone * size;
  }

  /** Closes the zones that are open, as the controller does when it is stopped. */
  void closeAll() {
    IntStream.range(0, states.length).filter(this::isOpen).forEach(zone -> states[zone] = CLOSED);
  }

  void set(int zone, boolean offline) {
    states[zone] = offline ? OFFLINE : READ_ONLY;
  }

  int size() {
    return size;
  }

  int mostOpen() {
    return mostOpen;
  }

  int mostActive() {
    return mostActive;
  }

  long pointer(long block) {
    return pointers[(int) (block / size)];
  }

  /** Takes note of a write, if it can be, and returns its status. */
  int write(long block, long count) {
    return write((int) (block / size), block, count);
  }

  /** As {@link #write}, at the zone's pointer. */
  int append(long start, long count) {
    int zone = (int) (start / size);
    return write(zone, pointers[zone], count);
  }

  private int write(int zone, long block, long count) {
    long end = (long) zone * size + capacity;
    switch (states[zone]) {
      case FULL -> {
        return IS_FULL;
      }
      case READ_ONLY -> {
        return IS_READ_ONLY;
      }
      case OFFLINE -> {
        return IS_OFFLINE;
      }
      default -> {}
    }
    if (block + count > end) {
      return BOUNDARY;
    }
    if (block != pointers[zone]) {
      return INVALID_WRITE;
    }
    int opened = isOpen(zone) ? 0 : open(zone, OPENED_BY_WRITE);
    if (opened == 0) {
      pointers[zone] += count;
      if (pointers[zone] == end) {
        states[zone] = FULL;
      }
    }
    return opened;
  }

  /** Returns whether a block is the first of a zone. */
  boolean isStart(long block) {
    return block % size == 0;
  }

  private boolean isOpen(int zone) {
    return states[zone] == OPENED || states[zone] == OPENED_BY_WRITE;
  }

  private boolean isActive(int zone) {
    return isOpen(zone) || states[zone] == CLOSED;
  }

  private boolean isAtLimit(IntPredicate which, int most) {
    return most > 0 && IntStream.range(0, states.length).filter(which).count() >= most;
  }

  private int open(int zone, int how) {
    if (states[zone] == EMPTY && isAtLimit(this::isActive, mostActive)) {
      return TOO_MANY_ACTIVE;
    }
    if (!isOpen(zone) && isAtLimit(this::isOpen, mostOpen)) {
      int other =
          IntStream.range(0, states.length).filter(this::isOpenedByWrite).findFirst().orElse(-1);
      if (other < 0) {
        return TOO_MANY_OPEN;
      }
      states[other] = CLOSED;
    }
    states[zone] = how;
    return 0;
  }

  private boolean isOpenedByWrite(int zone) {
    return states[zone] == OPENED_BY_WRITE;
  }

  /** Carries out Zone Management Send, and returns its status. */
  int manage(long block, int action, boolean all) {
    if (action < 1 || action > 4) {
      return INVALID_FIELD;
    }
    if (!all) {
      return isStart(block) ? manage((int) (block / size), action) : INVALID_FIELD;
    }
    for (int zone = 0; zone < states.length; zone++) {
      boolean concerned =
          switch (action) {
            case 1 -> isOpen(zone);
            case 2 -> isActive(zone);
            case 3 -> states[zone] == CLOSED;
            default -> isActive(zone) || states[zone] == FULL;
          };
      int ended = concerned ? manage(zone, action) : 0;
      if (ended != 0) {
        return ended;
      }
    }
    return 0;
  }

  private int manage(int zone, int action) {
    boolean dead = states[zone] == READ_ONLY || states[zone] == OFFLINE;
    switch (action) {
      case 1 -> {
        if (!isActive(zone)) {
          return INVALID_TRANSITION;
        }
        states[zone] = CLOSED;
      }
      case 2 -> {
        if (dead) {
          return INVALID_TRANSITION;
        }
        states[zone] = FULL;
      }
      case 3 -> {
        return dead || states[zone] == FULL ? INVALID_TRANSITION : open(zone, OPENED);
      }
      default -> {
        if (dead) {
          return INVALID_TRANSITION;
        }
        empty(zone);
      }
    }
    return 0;
  }

  /** Returns a report of as many zones as there is room for, from that of a block on. */
  byte[] report(long block, int bytes) {
    ByteBuffer report = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = (int) (block / size);
    int count = Math.min(states.length - first, Math.max(0, bytes / DESCRIPTOR - 1));
    if (bytes >= Long.BYTES) {
      report.putLong(0, count);
    }
    for (int i = 0; i < count; i++) {
      int zone = first + i;
      int at = (i + 1) * DESCRIPTOR;
      report.put(at, (byte) 2);
      report.put(at + 1, (byte) (states[zone] << 4));
      report.putLong(at + 8, capacity);
      report.putLong(at + 16, (long) zone * size);
      report.putLong(at + 24, states[zone] == FULL ? -1 : pointers[zone]);
    }
    return report.array();
  }
}
