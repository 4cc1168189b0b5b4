package io.github.vfio4j.device;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Mmio;
import io.github.vfio4j.linux.Refusal;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Device memory mapped into this process: each access is one comparison, and one load or store.
 *
 * <p>Hot code: it allocates nothing, takes no lock, and calls nothing that is not compiled into it.
 */
public final class MappedMemory extends MappedRegion {
  private final Consumer<MappedRegion> owner;
  private final String name;
  private final DeviceMapping mapping;
  private final int base;
  private final long offset;
  private final long size;

  /**
   * How many bytes can be loaded and stored: the size, or 0 where the region does not allow it or
   * when closed. So one comparison refuses all three. Plain fields, since an access that misses the
   * closing by another thread finds other memory in the device's place, see {@link DeviceMapping};
   * volatile ones would cost each access a load of its own.
   */
  private long loadable;

  private long storable;

  private boolean closed;

  private MappedMemory(
      Consumer<MappedRegion> owner, String name, DeviceMapping mapping, long offset, long size) {
    this.owner = owner;
    this.name = name;
    this.mapping = mapping;
    this.base = mapping.base();
    this.offset = offset;
    this.size = size;
    this.loadable = mapping.readable() ? size : 0;
    this.storable = mapping.writable() ? size : 0;
  }

  /**
   * Maps a window of an open file.
   *
   * @param fd the file's number, which the caller holds
   * @param at where the window starts in the file
   * @param mapping a fresh one, of whole pages
   * @param owner is told when it is closed
   * @param name what messages call the region
   * @param offset where the window starts in the region
   * @param size how much of the pages is the region's
   * @throws VfioException if the kernel refuses; nothing is mapped then
   */
  public static MappedRegion map(
      int fd,
      long at,
      DeviceMapping mapping,
      Consumer<MappedRegion> owner,
      String name,
      long offset,
      long size)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> require(mapping.close(), name, ""));
      require(mapping.map(fd, at), name, "");
      return rollback.done(new MappedMemory(owner, name, mapping, offset, size));
    }
  }

  private static void require(@Nullable Refusal refusal, String object, String meaning)
      throws VfioException {
    if (refusal != null) {
      throw Answer.failure(refusal.operation(), object, refusal.answer(), meaning);
    }
  }

  /**
   * Returns where it is in this process, for calls that take an address: a segment without bytes.
   */
  public MemorySegment place() {
    return mapping.place();
  }

  @Override
  public long offset() {
    return offset;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public byte getByte(long at) {
    try {
      return Mmio.getByte(base, checkLoad(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public byte getByteAcquire(long at) {
    try {
      return Mmio.getByteAcquire(base, checkLoad(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setByte(long at, byte value) {
    try {
      Mmio.setByte(base, checkStore(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setByteRelease(long at, byte value) {
    try {
      Mmio.setByteRelease(base, checkStore(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public short getShort(long at) {
    try {
      return Mmio.getShort(base, checkLoad(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public short getShortAcquire(long at) {
    try {
      return Mmio.getShortAcquire(base, checkLoad(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setShort(long at, short value) {
    try {
      Mmio.setShort(base, checkStore(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setShortRelease(long at, short value) {
    try {
      Mmio.setShortRelease(base, checkStore(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public int getInt(long at) {
    try {
      return Mmio.getInt(base, checkLoad(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public int getIntAcquire(long at) {
    try {
      return Mmio.getIntAcquire(base, checkLoad(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setInt(long at, int value) {
    try {
      Mmio.setInt(base, checkStore(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setIntRelease(long at, int value) {
    try {
      Mmio.setIntRelease(base, checkStore(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public long getLong(long at) {
    try {
      return Mmio.getLong(base, checkLoad(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public long getLongAcquire(long at) {
    try {
      return Mmio.getLongAcquire(base, checkLoad(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setLong(long at, long value) {
    try {
      Mmio.setLong(base, checkStore(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setLongRelease(long at, long value) {
    try {
      Mmio.setLongRelease(base, checkStore(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  private long checkLoad(long at, int width) {
    return check(at, width, loadable, true);
  }

  private long checkStore(long at, int width) {
    return check(at, width, storable, false);
  }

  /** Returns an aligned offset; pages are whole, so its bytes are all inside. */
  private long check(long at, int width, long limit, boolean load) {
    if (Long.compareUnsigned(at, limit) >= 0 || (at & width - 1) != 0) {
      throw refusal(at, width, limit, load);
    }
    return at;
  }

  private RuntimeException refusal(long at, int width, long limit, boolean load) {
    boolean allowed = load ? mapping.readable() : mapping.writable();
    if (closed || (allowed && limit == 0)) {
      return new IllegalStateException("The mapping of " + name + " is closed");
    }
    if (Long.compareUnsigned(at, size) >= 0) {
      return new IndexOutOfBoundsException(
          "Offset 0x%x of a mapping of 0x%x bytes of %s".formatted(at, size, name));
    }
    if (!allowed) {
      return new UnsupportedOperationException(
          name + " cannot be " + (load ? "read" : "written") + ": the device does not allow it");
    }
    return new IllegalArgumentException(
        "Offset 0x%x of a mapping of %s is not a multiple of %d".formatted(at, name, width));
  }

  /** Leaves all as it was if the kernel refuses: accesses reach the device still. */
  @Override
  public void close() throws VfioException {
    require(mapping.close(), "the mapping of " + name, "cannot take the device out");
    closed = true;
    loadable = 0;
    storable = 0;
    owner.accept(this);
  }

  /** Returns which part of which region it maps, and whether it is closed. */
  @Override
  public String toString() {
    return "0x%x bytes at 0x%x of %s%s".formatted(size, offset, name, closed ? ", closed" : "");
  }
}
