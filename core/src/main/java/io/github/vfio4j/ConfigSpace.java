package io.github.vfio4j;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The PCI configuration space of a device, as VFIO shows it: some registers are the kernel's own.
 *
 * <p>Offsets are bytes, values little-endian. Thread-safe, except that read-modify-write steps of
 * several threads may undo one another. Once the device is closed, its methods throw {@link
 * IllegalStateException}.
 */
public final class ConfigSpace {
  private static final int VENDOR_ID = 0x00;
  private static final int DEVICE_ID = 0x02;
  private static final int COMMAND = 0x04;
  private static final int STATUS = 0x06;
  private static final int CAPABILITIES = 0x34;
  private static final int FIRST_CAPABILITY = 0x40;
  private static final int FIRST_EXTENDED = 0x100;
  private static final int STATUS_CAPABILITIES = 0x10;
  private static final int COMMAND_MEMORY = 0x2;
  private static final int COMMAND_BUS_MASTER = 0x4;

  private final Region region;

  ConfigSpace(Region region) {
    this.region = region;
  }

  /**
   * Reads a region as configuration space.
   *
   * @param region the configuration space of a device, or an image of one
   * @return its registers
   * @throws IllegalArgumentException if it is too small to be one: it has less than 64 bytes
   */
  public static ConfigSpace of(Region region) {
    if (region.size() < FIRST_CAPABILITY) {
      throw new IllegalArgumentException(
          "A configuration space has 64 bytes at least, and %s has %d"
              .formatted(region, region.size()));
    }
    return new ConfigSpace(region);
  }

  /**
   * A PCI capability.
   *
   * @param id the number that the PCI specifications give it: {@link CapabilityId} and {@link
   *     ExtendedCapabilityId} name some
   * @param offset where it starts in the configuration space
   */
  public record Capability(int id, int offset) {}

  /**
   * Capabilities of the conventional configuration space, by the names of the PCI specifications:
   * those that drivers of devices look for.
   */
  public enum CapabilityId {
    /** Power management. */
    POWER_MANAGEMENT(0x01),

    /** Vital product data: the name and the serial number of a card. */
    VITAL_PRODUCT_DATA(0x03),

    /** Message-signalled interrupts. */
    MSI(0x05),

    /** PCI-X. */
    PCI_X(0x07),

    /** What a vendor has defined, virtio for one; a device may have several. */
    VENDOR_SPECIFIC(0x09),

    /** The subsystem of a bridge. */
    SUBSYSTEM_ID(0x0d),

    /** PCI Express: the link, and the reset of a function. */
    PCI_EXPRESS(0x10),

    /** Message-signalled interrupts of the extended kind. */
    MSIX(0x11),

    /** Serial ATA. */
    SATA(0x12),

    /** The reset of a function that is not PCI Express. */
    ADVANCED_FEATURES(0x13),

    /** Fixed addresses in place of base address registers. */
    ENHANCED_ALLOCATION(0x14);

    private final int number;

    CapabilityId(int number) {
      this.number = number;
    }

    /**
     * Returns the number that the specification gives it.
     *
     * @return what {@link Capability#id} is in {@link ConfigSpace#capabilities}
     */
    public int number() {
      return number;
    }
  }

  /**
   * Capabilities of the extended configuration space, by the names of the PCI Express
   * specification: those that drivers of devices look for.
   */
  public enum ExtendedCapabilityId {
    /** Advanced error reporting: AER. */
    AER(0x01),

    /** Virtual channels. */
    VIRTUAL_CHANNEL(0x02),

    /** The device's serial number. */
    DEVICE_SERIAL_NUMBER(0x03),

    /** What a vendor has defined; a device may have several. */
    VENDOR_SPECIFIC(0x0b),

    /** Access control services: ACS. */
    ACS(0x0d),

    /** Alternative routing IDs: ARI. */
    ARI(0x0e),

    /** Address translation services: ATS. */
    ATS(0x0f),

    /** Single-root IO virtualization: SR-IOV. */
    SRIOV(0x10),

    /** The page request interface: PRI. */
    PRI(0x13),

    /** Base address registers that can be resized. */
    RESIZABLE_BAR(0x15),

    /** Transaction processing hints: TPH. */
    TPH(0x17),

    /** Latency tolerance reporting: LTR. */
    LTR(0x18),

    /** Process address space IDs: PASID. */
    PASID(0x1b),

    /** Downstream port containment: DPC. */
    DPC(0x1d),

    /** L1 substates of the link. */
    L1_SUBSTATES(0x1e),

    /** Precision time measurement: PTM. */
    PTM(0x1f),

    /** What a vendor or a consortium has defined, CXL for one: DVSEC; a device may have several. */
    DVSEC(0x23),

    /** Data object exchange: DOE; a device may have several. */
    DOE(0x2e);

    private final int number;

    ExtendedCapabilityId(int number) {
      this.number = number;
    }

    /**
     * Returns the number that the specification gives it.
     *
     * @return what {@link Capability#id} is in {@link ConfigSpace#extendedCapabilities}
     */
    public int number() {
      return number;
    }
  }

  /**
   * Returns the region behind the configuration space, for accesses of other widths.
   *
   * @return the region
   */
  public Region region() {
    return region;
  }

  /**
   * Returns the vendor's ID.
   *
   * @return 16 bits
   * @throws VfioException if the kernel refuses
   */
  public int vendorId() throws VfioException {
    return Short.toUnsignedInt(region.readShort(VENDOR_ID));
  }

  /**
   * Returns the device's ID.
   *
   * @return 16 bits
   * @throws VfioException if the kernel refuses
   */
  public int deviceId() throws VfioException {
    return Short.toUnsignedInt(region.readShort(DEVICE_ID));
  }

  /**
   * Returns whether the device may start memory transactions: DMA and message-signalled interrupts.
   *
   * @return the bus master bit of the command register
   * @throws VfioException if the kernel refuses
   */
  public boolean isBusMaster() throws VfioException {
    return (region.readShort(COMMAND) & COMMAND_BUS_MASTER) != 0;
  }

  /**
   * Lets the device start memory transactions, or not. Off when the device was opened; {@link
   * VfioDevice#reset} leaves it as it is.
   *
   * @param enabled whether it may
   * @throws VfioException if the kernel refuses
   */
  public void setBusMaster(boolean enabled) throws VfioException {
    setCommand(COMMAND_BUS_MASTER, enabled);
  }

  /**
   * Lets the device answer accesses to its memory, or not. While it does not, the kernel takes the
   * device's mappings away, and an access to one fails.
   *
   * @param enabled whether it may
   * @throws VfioException if the kernel refuses
   */
  public void setMemoryEnabled(boolean enabled) throws VfioException {
    setCommand(COMMAND_MEMORY, enabled);
  }

  private void setCommand(int bit, boolean enabled) throws VfioException {
    short command = region.readShort(COMMAND);
    region.writeShort(COMMAND, (short) (enabled ? command | bit : command & ~bit));
  }

  /**
   * Walks the capabilities of the conventional configuration space.
   *
   * @return the capabilities in the device's order
   * @throws NoSuchDeviceException if the device does not answer
   * @throws VfioException if the kernel refuses, or the device's list leaves its space or turns
   *     back on itself
   */
  public List<Capability> capabilities() throws VfioException {
    List<Capability> found = new ArrayList<>();
    short status = region.readShort(STATUS);
    requireAnswer(status);
    if ((status & STATUS_CAPABILITIES) == 0) {
      return found;
    }
    BitSet visited = new BitSet();
    int offset = Byte.toUnsignedInt(region.readByte(CAPABILITIES)) & ~3;
    while (offset != 0) {
      if (offset < FIRST_CAPABILITY
          || offset > region.size() - Short.BYTES
          || visited.get(offset)) {
        throw broken(offset);
      }
      visited.set(offset);
      int header = Short.toUnsignedInt(region.readShort(offset));
      found.add(new Capability(header & 0xff, offset));
      offset = header >>> 8 & ~3;
    }
    return found;
  }

  /**
   * Walks the capabilities of the extended configuration space of PCI Express.
   *
   * @return the capabilities in the device's order; none where the space ends at 256 bytes
   * @throws NoSuchDeviceException if the device does not answer
   * @throws VfioException if the kernel refuses, or the device's list leaves its space or turns
   *     back on itself
   */
  public List<Capability> extendedCapabilities() throws VfioException {
    List<Capability> found = new ArrayList<>();
    if (region.size() <= FIRST_EXTENDED) {
      return found;
    }
    BitSet visited = new BitSet();
    int offset = FIRST_EXTENDED;
    while (offset != 0) {
      if (offset < FIRST_EXTENDED
          || offset > region.size() - Integer.BYTES
          || visited.get(offset)) {
        throw broken(offset);
      }
      visited.set(offset);
      int header = region.readInt(offset);
      if (header == -1) {
        requireAnswer(region.readShort(STATUS));
      }
      if (header == 0 || header == -1) {
        break;
      }
      found.add(new Capability(header & 0xffff, offset));
      offset = header >>> 20 & ~3;
    }
    return found;
  }

  /**
   * Finds a capability of the conventional configuration space.
   *
   * @param wanted which one
   * @return the first of this kind in the device's order, if there is one; {@link #capabilities}
   *     has all
   * @throws VfioException as {@link #capabilities}
   */
  public Optional<Capability> find(CapabilityId wanted) throws VfioException {
    return first(capabilities(), wanted.number());
  }

  /**
   * Finds a capability of the extended configuration space.
   *
   * @param wanted which one
   * @return the first of this kind in the device's order, if there is one; {@link
   *     #extendedCapabilities} has all
   * @throws VfioException as {@link #extendedCapabilities}
   */
  public Optional<Capability> find(ExtendedCapabilityId wanted) throws VfioException {
    return first(extendedCapabilities(), wanted.number());
  }

  private static Optional<Capability> first(List<Capability> capabilities, int id) {
    return capabilities.stream().filter(capability -> capability.id() == id).findFirst();
  }

  /** Some bits of the status are always 0, unless nobody answers. */
  private void requireAnswer(short status) throws NoSuchDeviceException {
    if (status == -1) {
      throw new NoSuchDeviceException(
          "walk PCI capabilities",
          region.toString(),
          null,
          "the device does not answer: it has gone, or is being reset");
    }
  }

  private VfioException broken(int offset) throws VfioException {
    requireAnswer(region.readShort(STATUS));
    return new VfioException(
        "walk PCI capabilities",
        region.toString(),
        null,
        "the device's list has the impossible offset 0x%x".formatted(offset));
  }

  /** Returns which region of which device it is. */
  @Override
  public String toString() {
    return "configuration space, " + region;
  }
}
