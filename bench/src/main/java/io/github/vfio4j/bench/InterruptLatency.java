package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.util.Arrays;

/**
 * From just before the write that makes the device raise its interrupt until another thread, which
 * has waited for it, is in Java code. What is reported of a round is the median.
 */
abstract class InterruptLatency implements Workload {
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;

  /** What the waiting thread needs to be asleep in the kernel before the next interrupt. */
  private static final long PAUSE_NANOS = 50_000;

  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final VfioDevice device;
  private final MappedRegion registers;
  private final Interrupt interrupt;

  private volatile long arrivals;
  private long[] nanos = new long[0];
  private long arrival;
  private long raised;

  InterruptLatency() throws VfioException {
    device = VfioDevice.open(Devices.EDU, Backend.IOMMUFD);
    registers = device.pci().bar(0).map();
    interrupt = device.pci().msi().enable(0);
    device.pci().config().setBusMaster(true);
  }

  final Interrupt source() {
    return interrupt;
  }

  /**
   * Takes note that an interrupt has arrived, which is the first that the waiting thread does.
   *
   * @param number which one, from 1 on
   */
  final void arrived(long number) {
    arrival = System.nanoTime();
    arrivals = number;
  }

  /** Waits until the thread is about to wait for the next interrupt after so many. */
  void letItWait(long raised) {}

  @Override
  public final double run(int operations) {
    nanos = new long[operations];
    for (int i = 0; i < operations; i++) {
      nanos[i] = raise();
    }
    Arrays.sort(nanos);
    return nanos[operations / 2];
  }

  final long raise() {
    letItWait(raised);
    long number = ++raised;
    long ready = System.nanoTime() + PAUSE_NANOS;
    while (System.nanoTime() < ready) {}
    long start = System.nanoTime();
    registers.setInt(RAISE, 1);
    while (arrivals < number) {
      Thread.onSpinWait();
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new IllegalStateException("The interrupt did not arrive");
      }
    }
    long took = arrival - start;
    registers.setInt(ACKNOWLEDGE, 1);
    return took;
  }

  final long raised() {
    return raised;
  }

  @Override
  public final Samples latencies() {
    return new Samples(Arrays.stream(nanos).asDoubleStream().toArray());
  }

  @Override
  public void close() throws VfioException {
    device.close();
  }
}
