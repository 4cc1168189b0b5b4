package io.github.vfio4j.model;

import io.github.vfio4j.bindings.vfio_h;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * What goes wrong with a hosted device, because a test wants it to. Thread-safe; each setting holds
 * until it is set otherwise.
 */
public final class Faults {
  private int lostInterrupts;
  private final int[] vectors = {
    Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE
  };
  private final Set<Integer> unmappable = new HashSet<>();
  private Duration dmaDelay = Duration.ZERO;
  private Duration resetDuration = Duration.ZERO;
  private boolean resetFails;
  private boolean gone;

  Faults() {}

  /**
   * Loses interrupts that the device raises.
   *
   * @param count how many from now on
   * @return this
   */
  public synchronized Faults loseInterrupts(int count) {
    lostInterrupts = count;
    return this;
  }

  synchronized boolean losesInterrupt() {
    if (lostInterrupts == 0) {
      return false;
    }
    lostInterrupts--;
    return true;
  }

  /**
   * Lets fewer MSI vectors be had than the device has, as without interrupt remapping.
   *
   * @param count how many, from 0
   * @return this
   */
  public synchronized Faults limitMsi(int count) {
    vectors[vfio_h.VFIO_PCI_MSI_IRQ_INDEX] = count;
    return this;
  }

  /**
   * Lets fewer MSI-X vectors be had than the device has, as on a host that runs out of them.
   *
   * @param count how many, from 0
   * @return this
   */
  public synchronized Faults limitMsix(int count) {
    vectors[vfio_h.VFIO_PCI_MSIX_IRQ_INDEX] = count;
    return this;
  }

  synchronized int availableVectors(int index) {
    return vectors[index];
  }

  /**
   * Keeps a BAR from being mapped; reads and writes through the kernel's calls work. It counts for
   * devices that are opened from now on.
   *
   * @param bar its number
   * @return this
   */
  public synchronized Faults refuseMapping(int bar) {
    unmappable.add(bar);
    return this;
  }

  synchronized boolean refusesMapping(int bar) {
    return unmappable.contains(bar);
  }

  /**
   * Lets what the device writes to memory arrive late, and what it reads come late.
   *
   * @param delay how late; zero for at once
   * @return this
   * @throws IllegalArgumentException if the delay is negative
   */
  public synchronized Faults delayDma(Duration delay) {
    dmaDelay = requireTime(delay);
    return this;
  }

  synchronized Duration dmaDelay() {
    return dmaDelay;
  }

  /**
   * Lets a reset take its time.
   *
   * @param duration how long
   * @return this
   * @throws IllegalArgumentException if the duration is negative
   */
  public synchronized Faults slowReset(Duration duration) {
    resetDuration = requireTime(duration);
    return this;
  }

  synchronized Duration resetDuration() {
    return resetDuration;
  }

  private static Duration requireTime(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("a negative time: " + time);
    }
    return time;
  }

  /**
   * Lets resets fail, or work again. A reset that fails leaves the device as it was.
   *
   * @param fails whether they fail
   * @return this
   */
  public synchronized Faults failReset(boolean fails) {
    resetFails = fails;
    return this;
  }

  synchronized boolean resetFails() {
    return resetFails;
  }

  /**
   * Takes the device out without a word: all reads answer all ones, writes and DMA go nowhere, no
   * interrupt comes any more, and what is asked of the kernel fails with ENODEV. Plain memory of a
   * BAR keeps what is in it. {@link ModelHost#askBack} is the other way to lose a device.
   *
   * @return this
   */
  public synchronized Faults vanish() {
    gone = true;
    return this;
  }

  synchronized boolean gone() {
    return gone;
  }
}
