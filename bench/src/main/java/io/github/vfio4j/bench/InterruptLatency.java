package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.util.Arrays;

/**
 * From just before the write that makes the device raise its interrupt until the waiting thread is
 * back in Java code. What is reported of a round is the median.
 */
final class InterruptLatency implements Workload {
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;

  /** What the waiting thread needs to be asleep in the kernel before the next interrupt. */
  private static final long PAUSE_NANOS = 50_000;

  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final VfioDevice device;
  private final MappedRegion registers;
  private final Interrupt interrupt;
  private final Thread waiter = new Thread(this::waitForAll, "waiter");

  private volatile boolean stop;
  private volatile long waiting;
  private volatile long arrivals;
  private volatile long allocated;
  private long[] nanos = new long[0];
  private long arrival;
  private long raised;

  InterruptLatency() throws VfioException {
    device = VfioDevice.open(Devices.EDU, Backend.IOMMUFD);
    registers = device.pci().bar(0).map();
    interrupt = device.pci().msi().enable(0);
    device.pci().config().setBusMaster(true);
    waiter.setDaemon(true);
    waiter.start();
  }

  private void waitForAll() {
    RealTimePriority.takeForThisThread();
    try {
      for (long i = 1; !stop; i++) {
        allocated = Allocation.byThisThread();
        waiting = i;
        if (interrupt.awaitNanos(PATIENCE_NANOS) == 0) {
          throw new IllegalStateException("The interrupt did not arrive");
        }
        arrival = System.nanoTime();
        arrivals = i;
      }
    } catch (VfioException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public double run(int operations) {
    nanos = new long[operations];
    for (int i = 0; i < operations; i++) {
      nanos[i] = raise();
    }
    Arrays.sort(nanos);
    return nanos[operations / 2];
  }

  private long raise() {
    letItWait();
    long number = ++raised;
    long ready = System.nanoTime() + PAUSE_NANOS;
    while (System.nanoTime() < ready) {}
    long start = System.nanoTime();
    registers.setInt(RAISE, 1);
    while (arrivals < number) {
      Thread.onSpinWait();
      if (!waiter.isAlive() && arrivals < number) {
        throw new IllegalStateException("Nobody waits for the interrupt any more");
      }
    }
    long took = arrival - start;
    registers.setInt(ACKNOWLEDGE, 1);
    return took;
  }

  @Override
  public Samples latencies() {
    return new Samples(Arrays.stream(nanos).asDoubleStream().toArray());
  }

  /** Returns what the waiting thread has allocated. */
  @Override
  public long allocatedBytes() {
    letItWait();
    return allocated;
  }

  /** Waits until the thread is about to wait for the next interrupt. */
  private void letItWait() {
    while (waiting <= raised && waiter.isAlive()) {
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() throws VfioException {
    letItWait(); // or it might stop before the last interrupt
    stop = true;
    raise();
    device.close();
  }
}
