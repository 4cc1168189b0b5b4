package io.github.vfio4j.dmabuf;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.mapping.AddressSpace;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Memory of one device in the IO address space of another; {@link PeerMemory#map} makes one.
 *
 * <p>Its IOVA never changes. The memory does: where the kernel takes it away (see {@link
 * PeerMemory#export}), DMA to it fails from then on, silently for this process, until {@link
 * #restore}. Call that whenever the other device was reset, or its memory was switched off and on.
 *
 * <p>Thread-safe. It may be closed before or after the device and the address space.
 */
public final class PeerMapping implements DmaMapping {
  /** Maps something by one of the kernel's ways. */
  @FunctionalInterface
  private interface Attempt {
    void run(MemorySegment backing, Ioctl operation, AddressSpace.Mapper mapper)
        throws VfioException;
  }

  /** One of the kernel's ways to map such memory. */
  private sealed interface Way {
    void attempt(Attempt attempt) throws VfioException;

    void close() throws VfioException;
  }

  /** By a file, of which nothing is left once it is mapped. */
  private record ByFile(PeerMemory memory, Ioas ioas) implements Way {
    @Override
    public void attempt(Attempt attempt) throws VfioException {
      try (DmaBuf file = memory.export()) {
        attempt.run(MemorySegment.NULL, Ioctl.IOMMU_IOAS_MAP_FILE, ioas.mapperOf(file.file()));
      }
    }

    @Override
    public void close() {}
  }

  /** By the address of a mapping of this process, which is there as long as it is. */
  private record ByAddress(MappedRegion window, MemorySegment place, AddressSpace.Mapper mapper)
      implements Way {
    @Override
    public void attempt(Attempt attempt) throws VfioException {
      attempt.run(place, Ioctl.VFIO_IOMMU_MAP_DMA, mapper);
    }

    @Override
    public void close() throws VfioException {
      window.close();
    }
  }

  private final PeerMemory memory;
  private final AddressSpace space;
  private final DmaAccess access;
  private final Way way;
  private final long size;

  /** What is in the address space. Guarded by its lock, as what follows. */
  private @Nullable DmaMapping mapping;

  private long iova;
  private boolean closed;

  private PeerMapping(PeerMemory memory, AddressSpace space, DmaAccess access, Way way) {
    this.memory = memory;
    this.space = space;
    this.access = access;
    this.way = way;
    this.size = memory.size();
  }

  static PeerMapping map(
      PeerMemory memory, IoAddressSpace space, DmaAccess access, OptionalLong start)
      throws VfioException {
    memory.requireWholePages();
    try (Rollback rollback = new Rollback()) {
      Way way =
          switch (space) {
            case Ioas ioas -> new ByFile(memory, ioas);
            case Container container -> {
              MappedRegion window = rollback.make(memory::window, MappedRegion::close);
              yield new ByAddress(window, place(window), container.engine().byAddress());
            }
            default -> throw notTheKernels(space);
          };
      PeerMapping mapped = new PeerMapping(memory, engine(space), access, way);
      rollback.add(mapped::close);
      memory.device().own(Ending.FIRST, mapped, mapped::close);
      mapped.begin(start);
      return rollback.done(mapped);
    }
  }

  private static AddressSpace engine(IoAddressSpace space) {
    if (space instanceof AddressSpace.Owner owner) {
      return owner.engine();
    }
    throw notTheKernels(space);
  }

  private static IllegalArgumentException notTheKernels(IoAddressSpace space) {
    return new IllegalArgumentException(
        "Only an IOAS and a container have devices that reach other ones, not " + space);
  }

  private static MemorySegment place(MappedRegion window) {
    if (window instanceof MappedMemory memory) {
      return memory.place();
    }
    throw new IllegalArgumentException(window + " is of no device of the kernel's");
  }

  private void begin(OptionalLong start) throws VfioException {
    way.attempt(
        (backing, operation, mapper) -> {
          synchronized (space.lock()) {
            requireOpen();
            DmaMapping made =
                start.isEmpty()
                    ? space.map(size, backing, access, operation, mapper)
                    : space.map(start.getAsLong(), size, backing, access, operation, mapper);
            mapping = made;
            iova = made.iova();
          }
        });
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the mapping of " + memory + " is closed");
    }
  }

  /**
   * Returns what is mapped.
   *
   * @return the part of the other device
   */
  public PeerMemory memory() {
    return memory;
  }

  @Override
  public long iova() {
    synchronized (space.lock()) {
      return iova;
    }
  }

  @Override
  public long size() {
    return size;
  }

  /**
   * Returns whether it is mapped, as far as this process can know: the kernel tells nobody that it
   * has taken the memory away.
   *
   * @return false if it is closed, was unmapped by its address space, or could not be {@linkplain
   *     #restore restored}
   */
  public boolean isMapped() {
    synchronized (space.lock()) {
      return mapping != null && space.isMapped(mapping);
    }
  }

  /**
   * Maps the memory anew, at the same IOVA, whether or not it was taken away: unmaps what is left
   * there and maps a fresh export. DMA under way to it fails for that moment. After a failure
   * nothing is mapped, the IOVA is kept, and this may be called again.
   *
   * <p>What its address space has unmapped by itself, it maps again, where the IOVA is still free.
   *
   * @throws IllegalStateException if this, the device or the address space is closed
   * @throws NoSuchDeviceException if the device's memory is switched off
   * @throws IovaInUseException if the address space has unmapped it, and something else is there
   * @throws VfioException if the kernel refuses
   */
  public void restore() throws VfioException {
    way.attempt(
        (backing, operation, mapper) -> {
          synchronized (space.lock()) {
            requireOpen();
            if (mapping != null && space.has(mapping)) {
              space.mapAnew(mapping, backing, access, operation, mapper);
            } else {
              mapping = space.map(iova, size, backing, access, operation, mapper);
            }
          }
        });
  }

  @Override
  public void close() throws VfioException {
    synchronized (space.lock()) {
      if (mapping != null) {
        mapping.close();
      }
      closed = true;
    }
    way.close();
    memory.device().disown(this);
  }

  /** Returns what is mapped where, and whether it is closed. */
  @Override
  public String toString() {
    synchronized (space.lock()) {
      return "%s at IOVA 0x%x of %s%s".formatted(memory, iova, space, closed ? ", closed" : "");
    }
  }
}
