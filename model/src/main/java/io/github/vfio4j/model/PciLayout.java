package io.github.vfio4j.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a {@link DeviceModel} looks like on a PCI bus. Immutable. */
public final class PciLayout {
  private static final int BARS = 6;
  private static final int MOST_MSI = 32;
  private static final int MOST_MSIX = 2048;

  private final Builder of;

  private PciLayout(Builder of) {
    this.of = of;
  }

  /**
   * Begins a layout of no BARs, capabilities or interrupts.
   *
   * @param vendorId the vendor, 16 bits
   * @param deviceId which of the vendor's devices, 16 bits
   * @return the builder
   * @throws IllegalArgumentException if a number has more bits
   */
  public static Builder of(int vendorId, int deviceId) {
    return new Builder(requireBits(vendorId, 16), requireBits(deviceId, 16));
  }

  private static int requireBits(int number, int bits) {
    if (number >>> bits != 0) {
      throw new IllegalArgumentException("0x%x does not fit in %d bits".formatted(number, bits));
    }
    return number;
  }

  int vendorId() {
    return of.vendorId;
  }

  int deviceId() {
    return of.deviceId;
  }

  int classCode() {
    return of.classCode;
  }

  int revision() {
    return of.revision;
  }

  int subsystemVendorId() {
    return of.subsystemVendorId;
  }

  int subsystemId() {
    return of.subsystemId;
  }

  Map<Integer, Bar> bars() {
    return of.bars;
  }

  byte[] rom() {
    return of.rom;
  }

  boolean hasLine() {
    return of.line;
  }

  int msiVectors() {
    return of.msiVectors;
  }

  int msixVectors() {
    return of.msixVectors;
  }

  int msixBar() {
    return of.msixBar;
  }

  int msixOffset() {
    return of.msixOffset;
  }

  List<PciCapability> capabilities() {
    return of.capabilities;
  }

  List<PciCapability> extendedCapabilities() {
    return of.extendedCapabilities;
  }

  boolean resettable() {
    return of.resettable;
  }

  /** Takes down a layout, part by part. Not thread-safe. */
  public static final class Builder {
    private final int vendorId;
    private final int deviceId;
    private int classCode = 0xff0000;
    private int revision;
    private int subsystemVendorId;
    private int subsystemId;
    private Map<Integer, Bar> bars = new TreeMap<>();
    private byte[] rom = {};
    private boolean line;
    private int msiVectors;
    private int msixVectors;
    private int msixBar;
    private int msixOffset;
    private List<PciCapability> capabilities = new ArrayList<>();
    private List<PciCapability> extendedCapabilities = new ArrayList<>();
    private boolean resettable;

    private Builder(int vendorId, int deviceId) {
      this.vendorId = vendorId;
      this.deviceId = deviceId;
    }

    /**
     * Sets the class; without it the device is of no class that is defined.
     *
     * @param code base class, subclass and programming interface, 24 bits
     * @return this builder
     */
    public Builder classCode(int code) {
      classCode = requireBits(code, 24);
      return this;
    }

    /**
     * Sets the revision.
     *
     * @param number 8 bits
     * @return this builder
     */
    public Builder revision(int number) {
      revision = requireBits(number, 8);
      return this;
    }

    /**
     * Sets the maker of the card.
     *
     * @param vendor its vendor, 16 bits
     * @param id which of the maker's cards, 16 bits
     * @return this builder
     */
    public Builder subsystem(int vendor, int id) {
      subsystemVendorId = requireBits(vendor, 16);
      subsystemId = requireBits(id, 16);
      return this;
    }

    /**
     * Adds a base address register.
     *
     * @param number from 0 to 5
     * @param bar what is behind it
     * @return this builder
     * @throws IllegalArgumentException if there is no such number, or it is taken
     */
    public Builder bar(int number, Bar bar) {
      if (number < 0 || number >= BARS || bars.putIfAbsent(number, bar) != null) {
        throw new IllegalArgumentException("there is no BAR " + number + ", or it is taken");
      }
      return this;
    }

    /**
     * Adds an expansion ROM.
     *
     * @param bytes what is in it; a copy is taken
     * @return this builder
     */
    public Builder rom(byte[] bytes) {
      rom = bytes.clone();
      return this;
    }

    /**
     * Gives the device a line interrupt (INTx).
     *
     * @return this builder
     */
    public Builder line() {
      line = true;
      return this;
    }

    /**
     * Gives the device message-signalled interrupts.
     *
     * @param vectors a power of two, up to 32
     * @return this builder
     * @throws IllegalArgumentException if that is another number
     */
    public Builder msi(int vectors) {
      if (vectors <= 0 || vectors > MOST_MSI || Integer.bitCount(vectors) != 1) {
        throw new IllegalArgumentException("MSI has 1, 2, 4, 8, 16 or 32 vectors, not " + vectors);
      }
      msiVectors = vectors;
      return this;
    }

    /**
     * Gives the device message-signalled interrupts of the extended kind. The host keeps the table.
     *
     * @param vectors up to 2048
     * @param bar the number of the BAR in which drivers find the table
     * @param offset where in it, a multiple of 8
     * @return this builder
     * @throws IllegalArgumentException if a number is another
     */
    public Builder msix(int vectors, int bar, int offset) {
      if (vectors <= 0 || vectors > MOST_MSIX || bar < 0 || bar >= BARS || (offset & 7) != 0) {
        throw new IllegalArgumentException(
            "MSI-X of %d vectors at 0x%x of BAR %d".formatted(vectors, offset, bar));
      }
      msixVectors = vectors;
      msixBar = bar;
      msixOffset = offset;
      return this;
    }

    /**
     * Adds a capability that the host keeps as it is, for drivers to read.
     *
     * @param id the number that the PCI specifications give it, 8 bits
     * @param body what follows the two bytes of the header
     * @return this builder
     */
    public Builder capability(int id, byte[] body) {
      capabilities.add(new PciCapability(requireBits(id, 8), 0, body.clone()));
      return this;
    }

    /**
     * Adds an extended capability likewise; the device is one of PCI Express then.
     *
     * @param id the number that the PCI specifications give it, 16 bits
     * @param version 4 bits
     * @param body what follows the four bytes of the header
     * @return this builder
     */
    public Builder extendedCapability(int id, int version, byte[] body) {
      extendedCapabilities.add(
          new PciCapability(requireBits(id, 16), requireBits(version, 4), body.clone()));
      return this;
    }

    /**
     * Lets the device be reset by itself.
     *
     * @return this builder
     */
    public Builder resettable() {
      resettable = true;
      return this;
    }

    /**
     * Ends the layout.
     *
     * @return the layout; this builder is of no use any more
     */
    public PciLayout build() {
      bars = Map.copyOf(bars);
      capabilities = List.copyOf(capabilities);
      extendedCapabilities = List.copyOf(extendedCapabilities);
      return new PciLayout(this);
    }
  }
}
