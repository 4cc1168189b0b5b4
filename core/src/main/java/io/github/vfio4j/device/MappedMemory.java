package io.github.vfio4j.device;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Mmio;
import io.github.vfio4j.outcome.Answer;
import java.lang.ref.Reference;
import java.util.function.Consumer;

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
   * The size while open, 0 when closed: one comparison refuses both kinds of access. A plain field,
   * since an access that misses the closing by another thread finds anonymous memory in the
   * device's place, see {@link DeviceMapping}; a volatile one would cost each access a load of its
   * own.
   */
  private long limit;

  /**
   * Takes over a mapping.
   *
   * @param owner is told when it is closed
   * @param name what messages call the region
   */
  public MappedMemory(
      Consumer<MappedRegion> owner, String name, DeviceMapping mapping, long offset, long size) {
    this.owner = owner;
    this.name = name;
    this.mapping = mapping;
    this.base = mapping.base();
    this.offset = offset;
    this.size = size;
    this.limit = size;
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
      return Mmio.getByte(base, check(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public byte getByteAcquire(long at) {
    try {
      return Mmio.getByteAcquire(base, check(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setByte(long at, byte value) {
    try {
      Mmio.setByte(base, check(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setByteRelease(long at, byte value) {
    try {
      Mmio.setByteRelease(base, check(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public short getShort(long at) {
    try {
      return Mmio.getShort(base, check(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public short getShortAcquire(long at) {
    try {
      return Mmio.getShortAcquire(base, check(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setShort(long at, short value) {
    try {
      Mmio.setShort(base, check(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setShortRelease(long at, short value) {
    try {
      Mmio.setShortRelease(base, check(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public int getInt(long at) {
    try {
      return Mmio.getInt(base, check(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public int getIntAcquire(long at) {
    try {
      return Mmio.getIntAcquire(base, check(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setInt(long at, int value) {
    try {
      Mmio.setInt(base, check(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setIntRelease(long at, int value) {
    try {
      Mmio.setIntRelease(base, check(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public long getLong(long at) {
    try {
      return Mmio.getLong(base, check(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public long getLongAcquire(long at) {
    try {
      return Mmio.getLongAcquire(base, check(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setLong(long at, long value) {
    try {
      Mmio.setLong(base, check(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  @Override
  public void setLongRelease(long at, long value) {
    try {
      Mmio.setLongRelease(base, check(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /** Returns an aligned offset; pages are whole, so its bytes are all inside. */
  private long check(long at, int width) {
    if (Long.compareUnsigned(at, limit) >= 0 || (at & width - 1) != 0) {
      throw refusal(at, width);
    }
    return at;
  }

  private RuntimeException refusal(long at, int width) {
    if (limit == 0) {
      return new IllegalStateException("The mapping of " + name + " is closed");
    }
    if (Long.compareUnsigned(at, limit) >= 0) {
      return new IndexOutOfBoundsException(
          "Offset 0x%x of a mapping of 0x%x bytes of %s".formatted(at, size, name));
    }
    return new IllegalArgumentException(
        "Offset 0x%x of a mapping of %s is not a multiple of %d".formatted(at, name, width));
  }

  @Override
  public void close() throws VfioException {
    limit = 0;
    Answer.require("mmap", "the mapping of " + name, mapping.close(), "cannot take the device out");
    owner.accept(this);
  }
}
