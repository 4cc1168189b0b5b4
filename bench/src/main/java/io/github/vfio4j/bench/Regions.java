package io.github.vfio4j.bench;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What there is to find among many mappings with a hole of a page after each, in this process
 * alone: the address space is one of devices written in Java.
 */
abstract class Regions implements Workload {
  private static final long IOVA = 0x100000000L;
  private static final long STRIDE = 8192;
  private static final int PAGE = 4096;

  private final int live;
  private final Probe probe = new Probe();
  private final ModelHost host;
  private final IoAddressSpace space;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment page = arena.allocate(PAGE, PAGE);

  Regions(int live) throws VfioException {
    this.live = live;
    host = ModelHost.of(probe);
    VfioDevice device = host.open();
    device.pci().config().setBusMaster(true);
    space = device.addressSpace();
    for (int i = 0; i < live; i++) {
      space.map(page, IOVA + i * STRIDE, DmaAccess.READ_WRITE);
    }
  }

  abstract void operation(Places places) throws VfioException;

  @Override
  public final double run(int operations) throws VfioException {
    Places places = new Places();
    long start = System.nanoTime();
    for (int i = 0; i < operations; i++) {
      operation(places);
    }
    return (double) (System.nanoTime() - start) / operations;
  }

  @Override
  public final void close() throws VfioException {
    host.close();
    arena.close();
  }

  /** Has the address space choose a place for a page, and frees it. */
  static final class Choice extends Regions {
    Choice(int live) throws VfioException {
      super(live);
    }

    @Override
    void operation(Places places) throws VfioException {
      super.space.map(super.page, DmaAccess.READ_WRITE).close();
    }
  }

  /** Has the device read eight bytes somewhere. */
  static final class Lookup extends Regions {
    private final MemorySegment target = MemorySegment.ofArray(new long[1]);

    Lookup(int live) throws VfioException {
      super(live);
    }

    @Override
    void operation(Places places) throws VfioException {
      if (!super.probe.bus().read(IOVA + places.below(super.live) * STRIDE, target)) {
        throw new IllegalStateException("Nothing is mapped there");
      }
    }
  }
}
