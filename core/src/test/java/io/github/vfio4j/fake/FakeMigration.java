package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_device_feature_mig_data_size;
import io.github.vfio4j.bindings.vfio_device_feature_mig_state;
import io.github.vfio4j.bindings.vfio_device_feature_migration;
import io.github.vfio4j.bindings.vfio_h;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The migration of a device: its states, its data and what a test has go wrong with them. At first
 * there is none.
 */
public final class FakeMigration {
  public static final int ERROR = vfio_h.VFIO_DEVICE_STATE_ERROR;
  public static final int STOP = vfio_h.VFIO_DEVICE_STATE_STOP;
  public static final int RUNNING = vfio_h.VFIO_DEVICE_STATE_RUNNING;
  public static final int STOP_COPY = vfio_h.VFIO_DEVICE_STATE_STOP_COPY;
  public static final int RESUMING = vfio_h.VFIO_DEVICE_STATE_RESUMING;
  public static final int RUNNING_P2P = vfio_h.VFIO_DEVICE_STATE_RUNNING_P2P;
  public static final int PRE_COPY = vfio_h.VFIO_DEVICE_STATE_PRE_COPY;
  public static final int PRE_COPY_P2P = vfio_h.VFIO_DEVICE_STATE_PRE_COPY_P2P;

  /** {@code vfio_from_fsm_table} of the kernel: which state comes next, by from and to. */
  private static final int[][] NEXT = {
    {ERROR, ERROR, ERROR, ERROR, ERROR, ERROR, ERROR, ERROR},
    {ERROR, STOP, RUNNING_P2P, STOP_COPY, RESUMING, RUNNING_P2P, RUNNING_P2P, RUNNING_P2P},
    {ERROR, RUNNING_P2P, RUNNING, RUNNING_P2P, RUNNING_P2P, RUNNING_P2P, PRE_COPY, RUNNING_P2P},
    {ERROR, STOP, STOP, STOP_COPY, STOP, STOP, ERROR, ERROR},
    {ERROR, STOP, STOP, STOP, RESUMING, STOP, STOP, STOP},
    {ERROR, STOP, RUNNING, STOP, STOP, RUNNING_P2P, RUNNING, PRE_COPY_P2P},
    {ERROR, RUNNING, RUNNING, PRE_COPY_P2P, RUNNING, RUNNING, PRE_COPY, PRE_COPY_P2P},
    {ERROR, RUNNING_P2P, RUNNING_P2P, STOP_COPY, RUNNING_P2P, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P},
  };

  /** What the device notes of its DMA. */
  public final FakeDmaLog log = new FakeDmaLog();

  private final List<Integer> asked = new ArrayList<>();
  private final Map<Integer, Errno> failing = new HashMap<>();
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();
  private long flags;
  private int state = RUNNING;
  private byte[] data = {};
  private int initial;
  private int sent;
  private int pieceSize = Integer.MAX_VALUE;
  private boolean v2;
  private int infoFlags;
  private @Nullable FakeMigrationFile file;
  private @Nullable Integer stateAfterFailure;
  private @Nullable Integer stateTold;
  private @Nullable Errno reading;
  private @Nullable Errno writing;
  private @Nullable Errno resetting;
  private boolean withholding;
  private boolean stray;
  private int dirty;

  /** Lets the device be migrated. */
  public FakeMigration with(long bits, byte... content) {
    flags = bits;
    data = content.clone();
    return this;
  }

  /** Lets so much of the data be read in PRE_COPY; a pass of the driver gives no more at a time. */
  public FakeMigration precopy(int initialBytes) {
    initial = initialBytes;
    return this;
  }

  /** Has PRE_COPY tell so much of changed data and these flags. */
  public FakeMigration precopyTells(int dirtyBytes, int bits) {
    dirty = dirtyBytes;
    infoFlags = bits;
    return this;
  }

  /** Lets no more than so many bytes be read or written at a time. */
  public FakeMigration inPiecesOf(int bytes) {
    pieceSize = bytes;
    return this;
  }

  /** Puts the device into a state. */
  public FakeMigration in(int now) {
    state = now;
    return this;
  }

  /** Makes all arcs into a state fail. */
  public FakeMigration failInto(int to, Errno errno) {
    failing.put(to, errno);
    return this;
  }

  /** Has a failed arc leave the device in a state. */
  public FakeMigration failureLeads(int to) {
    stateAfterFailure = to;
    return this;
  }

  /** Has the device tell that it is in a state. */
  public FakeMigration tell(@Nullable Integer number) {
    stateTold = number;
    return this;
  }

  public FakeMigration failReading(Errno errno) {
    reading = errno;
    return this;
  }

  public FakeMigration failWriting(Errno errno) {
    writing = errno;
    return this;
  }

  public FakeMigration failReset(Errno errno) {
    resetting = errno;
    return this;
  }

  /** Gives no file where there should be one. */
  public FakeMigration withholdFile() {
    withholding = true;
    return this;
  }

  /** Gives a file where there should be none. */
  public FakeMigration giveStrayFile() {
    stray = true;
    return this;
  }

  /** Returns which states were asked for, by number. */
  public List<Integer> asked() {
    return asked;
  }

  public int state() {
    return state;
  }

  /** Returns what was given to the device while it was restored. */
  public byte[] received() {
    return received.toByteArray();
  }

  boolean isThere() {
    return flags != 0;
  }

  /** Answers VFIO_DEVICE_FEATURE. */
  int feature(MemorySegment request, OpenFiles files) {
    int bits = vfio_device_feature.flags(request);
    boolean set = (bits & vfio_h.VFIO_DEVICE_FEATURE_SET) != 0;
    if (!isThere()) {
      return refused(Errno.ENOTTY);
    }
    int number = bits & vfio_h.VFIO_DEVICE_FEATURE_MASK;
    if ((bits & vfio_h.VFIO_DEVICE_FEATURE_PROBE) != 0) {
      return switch (number) {
        case vfio_h.VFIO_DEVICE_FEATURE_MIGRATION, vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_START ->
            0;
        default -> refused(Errno.ENOTTY);
      };
    }
    MemorySegment payload = request.asSlice(vfio_device_feature.SIZEOF);
    return switch (number) {
      case vfio_h.VFIO_DEVICE_FEATURE_MIGRATION -> {
        vfio_device_feature_migration.flags(payload, flags);
        yield 0;
      }
      case vfio_h.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE -> set ? set(payload, files) : get(payload);
      case vfio_h.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE -> {
        vfio_device_feature_mig_data_size.stop_copy_length(payload, data.length);
        yield 0;
      }
      case vfio_h.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 -> {
        v2 = true;
        yield 0;
      }
      case vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
          vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
          vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT ->
          log.feature(number, payload);
      default -> refused(Errno.ENOTTY);
    };
  }

  private int get(MemorySegment payload) {
    vfio_device_feature_mig_state.device_state(payload, stateTold == null ? state : stateTold);
    vfio_device_feature_mig_state.data_fd(payload, -1);
    return 0;
  }

  private int set(MemorySegment payload, OpenFiles files) {
    int to = vfio_device_feature_mig_state.device_state(payload);
    asked.add(to);
    vfio_device_feature_mig_state.data_fd(payload, -1);
    while (state != to) {
      int next = NEXT[state][to];
      while (next != ERROR && !has(next)) {
        next = NEXT[next][to];
      }
      if (next == ERROR) {
        return refused(Errno.EINVAL);
      }
      Errno failure = failing.get(next);
      if (state == RESUMING && !Arrays.equals(received(), data)) {
        failure = Errno.EINVAL;
      }
      if (failure != null) {
        if (stateAfterFailure != null) {
          state = stateAfterFailure;
        }
        return refused(failure);
      }
      boolean opens = hasData(next) && !(isSaving(state) && isSaving(next));
      state = next;
      if (!hasData(next)) {
        disable();
      }
      if (opens && !withholding) {
        give(payload, files);
      }
    }
    if (stray) {
      give(payload, files);
    }
    return 0;
  }

  private void give(MemorySegment payload, OpenFiles files) {
    sent = 0;
    received.reset();
    FakeMigrationFile given = new FakeMigrationFile(this);
    file = given;
    vfio_device_feature_mig_state.data_fd(payload, files.open(given, "data", null));
  }

  private void disable() {
    if (file != null) {
      file.disable();
      file = null;
    }
  }

  private boolean has(int any) {
    return switch (any) {
      case RUNNING_P2P -> (flags & vfio_h.VFIO_MIGRATION_P2P) != 0;
      case PRE_COPY -> (flags & vfio_h.VFIO_MIGRATION_PRE_COPY) != 0;
      case PRE_COPY_P2P ->
          (flags & vfio_h.VFIO_MIGRATION_P2P) != 0 && (flags & vfio_h.VFIO_MIGRATION_PRE_COPY) != 0;
      default -> true;
    };
  }

  private static boolean isSaving(int any) {
    return any == STOP_COPY || any == PRE_COPY || any == PRE_COPY_P2P;
  }

  private static boolean hasData(int any) {
    return isSaving(any) || any == RESUMING;
  }

  int reset() {
    if (resetting != null) {
      return refused(resetting);
    }
    state = RUNNING;
    disable();
    return 0;
  }

  /** Reads as much as there is room for: in PRE_COPY only what can be read then. */
  long read(MemorySegment buffer) {
    if (reading != null) {
      return refused(reading);
    }
    int end = state == STOP_COPY ? data.length : initial;
    if (sent == end && state != STOP_COPY) {
      return refused(Errno.ENOMSG);
    }
    int count = (int) Math.min(Math.min(end - sent, pieceSize), buffer.byteSize());
    buffer.asSlice(0, count).copyFrom(MemorySegment.ofArray(data).asSlice(sent, count));
    sent += count;
    return count;
  }

  long write(MemorySegment buffer) {
    if (writing != null) {
      return refused(writing);
    }
    int count = (int) Math.min(buffer.byteSize(), pieceSize);
    received.writeBytes(buffer.asSlice(0, count).toArray(JAVA_BYTE));
    return count;
  }

  boolean isInPrecopy() {
    return state == PRE_COPY || state == PRE_COPY_P2P;
  }

  int initialLeft() {
    return initial - sent;
  }

  int dirtyLeft() {
    return dirty;
  }

  /** Without the second form the flags mean nothing. */
  int infoFlags() {
    return v2 ? infoFlags : -1;
  }

  private static int refused(Errno errno) {
    return -errno.number();
  }
}
