package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;

/**
 * A device as the PCI function that it is, or looks like: what only PCI has.
 *
 * <p>It is a view: it holds nothing, needs no closing, and may be used from any thread as the
 * device may: once that is closed, its methods throw {@link IllegalStateException}.
 */
public final class PciFunction {
  private static final int BARS = 6;

  private final VfioDevice device;

  PciFunction(VfioDevice device) {
    this.device = device;
  }

  /**
   * Returns a base address register's region.
   *
   * @param number from 0 to 5; the upper half of a 64-bit BAR has no region of its own
   * @return the region; a BAR that the device does not have has size 0
   * @throws IndexOutOfBoundsException if the number is another
   * @throws VfioException as {@link VfioDevice#region}
   */
  public Region bar(int number) throws VfioException {
    if (number < 0 || number >= BARS) {
      throw new IndexOutOfBoundsException("a PCI function has BARs 0 to 5, not " + number);
    }
    return device.region(vfio_h.VFIO_PCI_BAR0_REGION_INDEX + number);
  }

  /**
   * Returns the expansion ROM.
   *
   * @return the region, which can only be read; its size is 0 where the device has none
   * @throws VfioException as {@link VfioDevice#region}
   */
  public Region rom() throws VfioException {
    return device.region(vfio_h.VFIO_PCI_ROM_REGION_INDEX);
  }

  /**
   * Returns the configuration space.
   *
   * @return the configuration space
   * @throws VfioException as {@link VfioDevice#region}
   */
  public ConfigSpace config() throws VfioException {
    return new ConfigSpace(device.region(vfio_h.VFIO_PCI_CONFIG_REGION_INDEX));
  }

  /**
   * Returns the line interrupt.
   *
   * @return one vector, or none
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex intx() throws VfioException {
    return device.irq(vfio_h.VFIO_PCI_INTX_IRQ_INDEX);
  }

  /**
   * Returns the message-signalled interrupts.
   *
   * @return up to 32 vectors
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex msi() throws VfioException {
    return device.irq(vfio_h.VFIO_PCI_MSI_IRQ_INDEX);
  }

  /**
   * Returns the message-signalled interrupts of the extended kind.
   *
   * @return up to 2048 vectors
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex msix() throws VfioException {
    return device.irq(vfio_h.VFIO_PCI_MSIX_IRQ_INDEX);
  }

  /**
   * Returns the interrupt by which the kernel tells that the device has reported an error.
   *
   * @return one vector, or none where the device reports none
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex error() throws VfioException {
    return device.irq(vfio_h.VFIO_PCI_ERR_IRQ_INDEX);
  }

  /**
   * Returns the interrupt by which the kernel asks to give the device back.
   *
   * @return one vector
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex request() throws VfioException {
    return device.irq(vfio_h.VFIO_PCI_REQ_IRQ_INDEX);
  }

  /** Returns the device's name. */
  @Override
  public String toString() {
    return device.toString();
  }
}
