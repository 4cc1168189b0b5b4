package io.github.vfio4j.graphics;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.dmabuf.DmaBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The pixels of a plane; {@link Display#open} makes one.
 *
 * <p>Thread-safe. After {@link #close}, or after the device was closed, reading throws {@link
 * IllegalStateException}.
 */
public final class PlaneMemory implements AutoCloseable {
  private final Plane plane;
  private final @Nullable DmaBuf file;
  private final @Nullable Region region;

  /** The whole file or region, where it can be mapped; made when it is first read. */
  private @Nullable MappedRegion mapped;

  private volatile boolean closed;

  PlaneMemory(Plane plane, DmaBuf file) {
    this.plane = plane;
    this.file = file;
    this.region = null;
  }

  PlaneMemory(Plane plane, Region region, @Nullable MappedRegion mapped) {
    this.plane = plane;
    this.file = null;
    this.region = region;
    this.mapped = mapped;
  }

  /**
   * Returns what the plane showed when the device was asked.
   *
   * @return as given to {@link Display#open}
   */
  public Plane plane() {
    return plane;
  }

  /**
   * Returns the file that the plane is.
   *
   * @return the dma-buf, which is this object's; empty for a region
   */
  public Optional<DmaBuf> dmaBuf() {
    return Optional.ofNullable(file);
  }

  /**
   * Reads a part of the plane. The guest may be drawing meanwhile.
   *
   * @param offset bytes from the start
   * @param target filled whole
   * @throws IndexOutOfBoundsException if a part lies outside
   * @throws IllegalArgumentException if the memory is read-only
   * @throws IllegalStateException if the memory has been freed, or this is closed
   * @throws WrongThreadException if the memory is another thread's alone
   * @throws VfioException if the kernel refuses to map, to read or to synchronize
   */
  public void read(long offset, MemorySegment target) throws VfioException {
    Objects.checkFromIndexSize(offset, target.byteSize(), plane.size());
    requireOpen();
    if (file != null) {
      file.read(mapped(file), offset, target);
    } else if (region != null) {
      read(region, offset, target);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
  }

  private synchronized MappedRegion mapped(DmaBuf from) throws VfioException {
    requireOpen();
    MappedRegion known = mapped;
    if (known == null) {
      known = from.map();
      mapped = known;
    }
    return known;
  }

  private void read(Region from, long offset, MemorySegment target) throws VfioException {
    MappedRegion window = mapped;
    if (window != null) {
      window.read(offset, target);
    } else if (target.isNative()) {
      from.read(offset, target);
    } else {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(target.byteSize());
        from.read(offset, copy);
        target.copyFrom(copy);
      }
    }
  }

  /**
   * Unmaps the plane, and closes its file. Later calls close what the kernel refused to close.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public synchronized void close() throws VfioException {
    closed = true;
    if (file != null) {
      file.close();
    } else if (mapped != null) {
      mapped.close();
    }
  }

  /** Returns which plane it is. */
  @Override
  public String toString() {
    return file != null ? file.toString() : "the plane in " + region;
  }
}
