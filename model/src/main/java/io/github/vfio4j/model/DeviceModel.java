package io.github.vfio4j.model;

/**
 * A PCI device written in Java.
 *
 * <p>It knows its registers, and nothing of who hosts it: a driver's unit test, or a virtual
 * machine. What it wants of the world goes through the {@link Bus} that it is given. The host calls
 * its methods, and those of its {@link Registers}, one at a time.
 */
public interface DeviceModel {
  /**
   * Returns what the device looks like on the bus: numbers, BARs, capabilities, interrupts.
   *
   * @return always the same
   */
  PciLayout layout();

  /**
   * Puts the device on a bus, once and before anything else.
   *
   * @param bus how it does DMA and raises interrupts
   */
  void plugIn(Bus bus);

  /** Resets the device: its registers are as after power-on, and its DMA has ended. */
  void reset();
}
