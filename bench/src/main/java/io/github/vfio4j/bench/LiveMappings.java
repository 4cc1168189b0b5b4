package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Unmaps one of many mappings and maps it again; all are of pages of one huge page. */
final class LiveMappings implements Workload {
  private static final long IOVA = 0x100000000L;
  private static final long STRIDE = 8192;
  private static final int PAGE = 4096;

  private final int live;
  private final VfioDevice device;
  private final IoAddressSpace space;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] pages = new MemorySegment[(int) (HugePages.SIZE / PAGE)];

  LiveMappings(Backend backend, int live) throws IOException {
    this.live = live;
    MemorySegment memory = HugePages.map(arena, HugePages.SIZE);
    Arrays.setAll(pages, i -> memory.asSlice((long) i * PAGE, PAGE));
    device = VfioDevice.open(Devices.EDU, backend);
    space = device.addressSpace();
    for (int i = 0; i < live; i++) {
      map(i);
    }
  }

  private void map(int index) throws VfioException {
    space.map(pages[index % pages.length], IOVA + index * STRIDE, DmaAccess.READ_WRITE);
  }

  @Override
  public double run(int operations) throws VfioException {
    Places places = new Places();
    long start = System.nanoTime();
    for (int i = 0; i < operations; i++) {
      int index = (int) places.below(live);
      space.unmap(IOVA + index * STRIDE, PAGE);
      map(index);
    }
    return (double) (System.nanoTime() - start) / operations;
  }

  @Override
  public void close() throws VfioException {
    device.close();
    arena.close();
  }
}
