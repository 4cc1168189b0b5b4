package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Maps and unmaps the same memory again and again. */
final class MapUnmap implements Workload {
  private static final long IOVA = 0x10000000;

  private final VfioDevice device;
  private final IoAddressSpace space;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  /**
   * Opens the device.
   *
   * @param size bytes of each mapping; the memory is huge pages, so that a mapping which is no
   *     larger than one is physically contiguous in every run
   */
  MapUnmap(Backend backend, long size) throws IOException {
    long whole = Math.max(size, HugePages.SIZE);
    memory = HugePages.map(arena, whole).asSlice(0, size);
    device = VfioDevice.open(Devices.EDU, backend);
    space = device.addressSpace();
  }

  @Override
  public double run(int operations) throws VfioException {
    long start = System.nanoTime();
    pairs(space, memory, operations);
    return (double) (System.nanoTime() - start) / operations;
  }

  private static void pairs(IoAddressSpace space, MemorySegment memory, int pairs)
      throws VfioException {
    for (int i = 0; i < pairs; i++) {
      space.map(memory, IOVA, DmaAccess.READ_WRITE);
      space.unmap(IOVA, memory.byteSize());
    }
  }

  @Override
  public void close() throws VfioException {
    device.close();
    arena.close();
  }
}
