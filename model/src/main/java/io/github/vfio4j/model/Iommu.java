package io.github.vfio4j.model;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An IO address space in this process: what a driver has mapped, for models to find by IOVA.
 *
 * <p>Once {@link #unmap} has returned, no DMA is under way in what was unmapped. Thread-safe.
 */
final class Iommu implements AddressSpaceChannel {
  /** What is mapped from one IOVA on. */
  private record Entry(long size, MemorySegment memory, DmaAccess access) {}

  /** Is told of what was refused. */
  @FunctionalInterface
  interface Refusals {
    void refused(DmaAccess access, long iova, long size, DmaFault.Reason reason);
  }

  private final TreeMap<Long, Entry> entries = new TreeMap<>(Long::compareUnsigned);
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  @Override
  public Ioctl mapOperation() {
    return Ioctl.IOMMU_IOAS_MAP;
  }

  @Override
  public Ioctl unmapOperation() {
    return Ioctl.IOMMU_IOAS_UNMAP;
  }

  @Override
  public int map(long iova, long size, MemorySegment memory, DmaAccess access) {
    lock.writeLock().lock();
    try {
      entries.put(iova, new Entry(size, memory, access));
      return 0;
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public long unmap(long iova, long size) {
    lock.writeLock().lock();
    try {
      Entry entry = entries.get(iova);
      if (entry != null && entry.size == size) {
        entries.remove(iova);
        return size;
      }
      Map<Long, Entry> inside = entries.subMap(iova, true, iova + (size - 1), true);
      long bytes = inside.values().stream().mapToLong(Entry::size).sum();
      if (bytes != size) { // not whole ones without a hole, as AddressSpace has it
        return -Errno.ENOENT.number();
      }
      inside.clear();
      return size;
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public int unmapAll() {
    lock.writeLock().lock();
    try {
      entries.clear();
      return 0;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Copies from memory to a device, or to memory from it, piece by piece as it is mapped.
   *
   * @param access {@link DmaAccess#READ} or {@link DmaAccess#WRITE}
   * @return whether nothing was refused
   */
  boolean transfer(DmaAccess access, long iova, MemorySegment device, Refusals refusals) {
    lock.readLock().lock();
    try {
      boolean whole = true;
      long done = 0;
      while (done < device.byteSize()) {
        long at = iova + done;
        long left = device.byteSize() - done;
        Map.Entry<Long, Entry> below = entries.floorEntry(at);
        long within = below == null ? 0 : at - below.getKey();
        if (below == null || Long.compareUnsigned(within, below.getValue().size) >= 0) {
          long hole = Math.min(left, untilNext(at));
          refusals.refused(access, at, hole, DmaFault.Reason.NOT_MAPPED);
          whole = false;
          done += hole;
        } else {
          Entry entry = below.getValue();
          long piece = Math.min(left, entry.size - within);
          whole &= copy(access, at, entry, within, device.asSlice(done, piece), refusals);
          done += piece;
        }
      }
      return whole;
    } finally {
      lock.readLock().unlock();
    }
  }

  private long untilNext(long iova) {
    Long next = entries.higherKey(iova);
    return next == null || next - iova < 0 ? Long.MAX_VALUE : next - iova;
  }

  private static boolean copy(
      DmaAccess access,
      long iova,
      Entry entry,
      long within,
      MemorySegment device,
      Refusals refusals) {
    boolean reads = access == DmaAccess.READ;
    if (reads ? !entry.access.readable() : !entry.access.writable()) {
      refusals.refused(access, iova, device.byteSize(), DmaFault.Reason.NOT_PERMITTED);
      return false;
    }
    try {
      MemorySegment memory = entry.memory.asSlice(within, device.byteSize());
      if (reads) {
        device.copyFrom(memory);
      } else {
        memory.copyFrom(device);
      }
      return true;
    } catch (IllegalStateException freed) {
      refusals.refused(access, iova, device.byteSize(), DmaFault.Reason.MEMORY_FREED);
      return false;
    }
  }
}
