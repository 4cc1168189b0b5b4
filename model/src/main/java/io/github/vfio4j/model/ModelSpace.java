package io.github.vfio4j.model;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.mapping.AddressSpace;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The IO address space of hosted devices. */
final class ModelSpace implements IoAddressSpace {
  /** As wide as the IOMMUs of most machines, less the window of interrupts on x86. */
  private static final List<IovaRange> RANGES =
      List.of(new IovaRange(0, 0xfedfffffL), new IovaRange(0xfef00000L, (1L << 48) - 1));

  private final Iommu iommu = new Iommu();
  private final AddressSpace space;

  ModelSpace(Kernel kernel, String name) throws VfioException {
    this.space = new AddressSpace(kernel, "address space of " + name, iommu);
    synchronized (space.lock()) {
      space.accept(RANGES, kernel.pageSize());
    }
  }

  /** Returns what models do their DMA through. */
  Iommu iommu() {
    return iommu;
  }

  @Override
  public Backend backend() {
    return Backend.MODEL;
  }

  @Override
  public List<IovaRange> iovaRanges() {
    return space.iovaRanges();
  }

  @Override
  public long granule() {
    return space.granule();
  }

  @Override
  public void map(MemorySegment memory, long iova, DmaAccess access) throws VfioException {
    space.map(iova, memory, access);
  }

  @Override
  public DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException {
    return space.map(memory, access);
  }

  @Override
  public void unmap(long iova, long size) throws VfioException {
    space.unmap(iova, size);
  }

  @Override
  public void mapAll(List<MemoryRegion> regions) throws VfioException {
    space.mapAll(regions);
  }

  @Override
  public List<MemoryRegion> mapMissing(List<MemoryRegion> regions) throws VfioException {
    return space.mapMissing(regions);
  }

  @Override
  public long unmapRange(long iova, long size) throws VfioException {
    return space.unmapRange(iova, size);
  }

  @Override
  public void unmapAll() throws VfioException {
    space.unmapAll();
  }

  @Override
  public boolean populate(MemorySegment memory, DmaAccess access, Progress progress)
      throws VfioException {
    return space.populate(memory, access, progress);
  }

  @Override
  public DmaBuffer allocate(long size, Allocation how) throws VfioException {
    return space.allocate(size, how);
  }

  @Override
  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    return space.allocateHuge(size, hugePageSize);
  }

  @Override
  public void close() throws VfioException {
    space.close(
        closing -> {
          iommu.unmapAll();
          return true;
        });
  }

  @Override
  public String toString() {
    return space.toString();
  }
}
