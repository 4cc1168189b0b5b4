package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import java.util.Optional;

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

  /** The regions of a PCI function, as {@code vfio-pci} numbers them. */
  public enum RegionKind {
    /** The first base address register. */
    BAR0(vfio_h.VFIO_PCI_BAR0_REGION_INDEX, "BAR 0"),

    /** The second base address register, or the upper half of the first. */
    BAR1(vfio_h.VFIO_PCI_BAR1_REGION_INDEX, "BAR 1"),

    /** The third base address register. */
    BAR2(vfio_h.VFIO_PCI_BAR2_REGION_INDEX, "BAR 2"),

    /** The fourth base address register, or the upper half of the third. */
    BAR3(vfio_h.VFIO_PCI_BAR3_REGION_INDEX, "BAR 3"),

    /** The fifth base address register. */
    BAR4(vfio_h.VFIO_PCI_BAR4_REGION_INDEX, "BAR 4"),

    /** The sixth base address register, or the upper half of the fifth. */
    BAR5(vfio_h.VFIO_PCI_BAR5_REGION_INDEX, "BAR 5"),

    /** The expansion ROM. */
    ROM(vfio_h.VFIO_PCI_ROM_REGION_INDEX, "ROM"),

    /** The configuration space. */
    CONFIG(vfio_h.VFIO_PCI_CONFIG_REGION_INDEX, "configuration space"),

    /** The addresses of VGA, below 1 MiB. */
    VGA(vfio_h.VFIO_PCI_VGA_REGION_INDEX, "VGA");

    private final int index;
    private final String words;

    RegionKind(int index, String words) {
      this.index = index;
      this.words = words;
    }

    /**
     * Returns which region of a PCI function has an index.
     *
     * @param index the kernel's number
     * @return the region; empty for those that a driver of the kernel has added
     */
    public static Optional<RegionKind> of(int index) {
      return index >= 0 && index < values().length
          ? Optional.of(values()[index])
          : Optional.empty();
    }

    /**
     * Returns the index of the region.
     *
     * @return the kernel's number, which {@link VfioDevice#region} takes
     */
    public int index() {
      return index;
    }

    /** Returns the name used in messages. */
    @Override
    public String toString() {
      return words;
    }
  }

  /** The kinds of interrupts of a PCI function, as {@code vfio-pci} numbers them. */
  public enum IrqKind {
    /** The line interrupt. */
    INTX(vfio_h.VFIO_PCI_INTX_IRQ_INDEX, "INTx"),

    /** Message-signalled interrupts. */
    MSI(vfio_h.VFIO_PCI_MSI_IRQ_INDEX, "MSI"),

    /** Message-signalled interrupts of the extended kind. */
    MSIX(vfio_h.VFIO_PCI_MSIX_IRQ_INDEX, "MSI-X"),

    /** By this the kernel tells that the device has reported an error. */
    ERR(vfio_h.VFIO_PCI_ERR_IRQ_INDEX, "the error interrupt"),

    /** By this the kernel asks to give the device back. */
    REQ(vfio_h.VFIO_PCI_REQ_IRQ_INDEX, "the request interrupt");

    private final int index;
    private final String words;

    IrqKind(int index, String words) {
      this.index = index;
      this.words = words;
    }

    /**
     * Returns which kind of interrupt of a PCI function has an index.
     *
     * @param index the kernel's number
     * @return the kind; empty for those that a driver of the kernel has added
     */
    public static Optional<IrqKind> of(int index) {
      return index >= 0 && index < values().length
          ? Optional.of(values()[index])
          : Optional.empty();
    }

    /**
     * Returns the index of the kind.
     *
     * @return the kernel's number, which {@link VfioDevice#irq} takes
     */
    public int index() {
      return index;
    }

    /** Returns the name used in messages. */
    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * Returns a region.
   *
   * @param region which one
   * @return the region; one that the device does not have has size 0
   * @throws VfioException as {@link VfioDevice#region}
   */
  public Region region(RegionKind region) throws VfioException {
    return device.region(region.index());
  }

  /**
   * Returns the interrupts of one kind.
   *
   * @param kind which one
   * @return the interrupts; of a kind that the device does not have there are none
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex irq(IrqKind kind) throws VfioException {
    return device.irq(kind.index());
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
    return device.region(RegionKind.BAR0.index() + number);
  }

  /**
   * Returns the expansion ROM.
   *
   * @return the region, which can only be read; its size is 0 where the device has none
   * @throws VfioException as {@link VfioDevice#region}
   */
  public Region rom() throws VfioException {
    return region(RegionKind.ROM);
  }

  /**
   * Returns the configuration space.
   *
   * @return the configuration space
   * @throws VfioException as {@link VfioDevice#region}
   */
  public ConfigSpace config() throws VfioException {
    return new ConfigSpace(region(RegionKind.CONFIG));
  }

  /**
   * Returns the line interrupt.
   *
   * @return one vector, or none
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex intx() throws VfioException {
    return irq(IrqKind.INTX);
  }

  /**
   * Returns the message-signalled interrupts.
   *
   * @return up to 32 vectors
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex msi() throws VfioException {
    return irq(IrqKind.MSI);
  }

  /**
   * Returns the message-signalled interrupts of the extended kind.
   *
   * @return up to 2048 vectors
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex msix() throws VfioException {
    return irq(IrqKind.MSIX);
  }

  /**
   * Returns the interrupt by which the kernel tells that the device has reported an error.
   *
   * @return one vector, or none where the device reports none
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex error() throws VfioException {
    return irq(IrqKind.ERR);
  }

  /**
   * Returns the interrupt by which the kernel asks to give the device back.
   *
   * @return one vector
   * @throws VfioException as {@link VfioDevice#irq}
   */
  public IrqIndex request() throws VfioException {
    return irq(IrqKind.REQ);
  }

  /** Returns the device's name. */
  @Override
  public String toString() {
    return device.toString();
  }
}
