package io.github.vfio4j.model;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * The configuration space of a {@link PciLayout}, as VFIO's PCI driver shows one: interrupts are
 * enabled elsewhere, so their capabilities can be read but do nothing. Not thread-safe.
 */
final class PciConfig {
  static final int SIZE = 256;
  static final int EXPRESS_SIZE = 4096;

  private static final int COMMAND = 0x04;
  private static final int STATUS = 0x06;
  private static final int BAR0 = 0x10;
  private static final int ROM = 0x30;
  private static final int CAPABILITIES = 0x34;
  private static final int FIRST_CAPABILITY = 0x40;
  private static final int EXPRESS_CAPABILITY = 0x10;
  private static final int MSI_CAPABILITY = 0x05;
  private static final int MSIX_CAPABILITY = 0x11;
  private static final int INTERRUPT_LINE = 0x3c;
  private static final int INTERRUPT_PIN = 0x3d;
  private static final int STATUS_CAPABILITIES = 0x10;
  private static final int COMMAND_MEMORY = 0x2;
  private static final int COMMAND_BUS_MASTER = 0x4;
  private static final short COMMAND_WRITABLE = 0x0547;
  private static final long LARGEST_32_BIT_BAR = 1L << 31;
  private static final int BAR_64_BIT = 0x4;

  private final PciLayout layout;
  private final byte[] bytes;
  private final byte[] writable;
  private final ByteBuffer values;
  private final ByteBuffer masks;
  private int end = FIRST_CAPABILITY;
  private int last = CAPABILITIES;

  PciConfig(PciLayout layout) {
    this.layout = layout;
    int size = layout.extendedCapabilities().isEmpty() ? SIZE : EXPRESS_SIZE;
    this.bytes = new byte[size];
    this.writable = new byte[size];
    this.values = ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
    this.masks = ByteBuffer.wrap(writable).order(LITTLE_ENDIAN);
    header();
    capabilities();
    extendedCapabilities();
    powerOn();
  }

  private void header() {
    values.putShort(0x00, (short) layout.vendorId());
    values.putShort(0x02, (short) layout.deviceId());
    values.putInt(0x08, layout.classCode() << 8 | layout.revision());
    values.putShort(0x2c, (short) layout.subsystemVendorId());
    values.putShort(0x2e, (short) layout.subsystemId());
    values.put(INTERRUPT_PIN, (byte) (layout.hasLine() ? 1 : 0));
    masks.putShort(COMMAND, COMMAND_WRITABLE);
    masks.put(INTERRUPT_LINE, (byte) -1);
    for (Map.Entry<Integer, Bar> entry : layout.bars().entrySet()) {
      int at = BAR0 + entry.getKey() * Integer.BYTES;
      long mask = -entry.getValue().size();
      masks.putInt(at, (int) mask & ~0xf);
      if (entry.getValue().size() > LARGEST_32_BIT_BAR) {
        values.putInt(at, BAR_64_BIT);
        masks.putInt(at + Integer.BYTES, (int) (mask >>> 32));
      }
    }
    if (layout.rom().length > 0) {
      masks.putInt(ROM, (int) -romSize() | 1);
    }
  }

  /** Returns how large the ROM's region is: a power of two, at least a page of 2 KiB. */
  long romSize() {
    return layout.rom().length == 0
        ? 0
        : Math.max(2048, Long.highestOneBit(2L * layout.rom().length - 1));
  }

  private void capabilities() {
    if (layout.msiVectors() > 0) {
      byte[] body = new byte[12]; // 64-bit addresses, no masking by vector
      body[0] = (byte) (0x80 | Integer.numberOfTrailingZeros(layout.msiVectors()) << 1);
      add(MSI_CAPABILITY, body);
    }
    if (layout.msixVectors() > 0) {
      ByteBuffer body = ByteBuffer.allocate(10).order(LITTLE_ENDIAN);
      body.putShort((short) (layout.msixVectors() - 1));
      body.putInt(layout.msixOffset() | layout.msixBar());
      body.putInt(layout.msixOffset() + layout.msixVectors() * 16 | layout.msixBar());
      add(MSIX_CAPABILITY, body.array());
    }
    for (PciCapability capability : layout.capabilities()) {
      add(capability.id(), capability.body());
    }
    if (bytes.length == EXPRESS_SIZE
        && layout.capabilities().stream().noneMatch(it -> it.id() == EXPRESS_CAPABILITY)) {
      byte[] endpoint = new byte[58];
      endpoint[0] = 2;
      add(EXPRESS_CAPABILITY, endpoint);
    }
  }

  private void add(int id, byte[] body) {
    int size = (body.length + 2 + 3) & ~3;
    if (end + size > SIZE) {
      throw new IllegalArgumentException("the capabilities do not fit into 256 bytes");
    }
    values.put(last, (byte) end);
    values.putShort(STATUS, (short) STATUS_CAPABILITIES);
    values.put(end, (byte) id);
    values.put(end + 2, body);
    last = end + 1;
    end += size;
  }

  private void extendedCapabilities() {
    int at = SIZE;
    List<PciCapability> capabilities = layout.extendedCapabilities();
    for (int i = 0; i < capabilities.size(); i++) {
      PciCapability capability = capabilities.get(i);
      int next = at + ((capability.body().length + 4 + 3) & ~3);
      if (next > EXPRESS_SIZE) {
        throw new IllegalArgumentException("the extended capabilities do not fit into 4096 bytes");
      }
      boolean more = i + 1 < capabilities.size();
      values.putInt(at, capability.id() | capability.version() << 16 | (more ? next << 20 : 0));
      values.put(at + 4, capability.body());
      at = next;
    }
  }

  /** Returns to what VFIO gives a user who has just opened the device; a reset leaves it. */
  void powerOn() {
    values.putShort(COMMAND, (short) COMMAND_MEMORY);
  }

  int size() {
    return bytes.length;
  }

  boolean isBusMaster() {
    return (values.getShort(COMMAND) & COMMAND_BUS_MASTER) != 0;
  }

  boolean isMemoryEnabled() {
    return (values.getShort(COMMAND) & COMMAND_MEMORY) != 0;
  }

  byte read(int offset) {
    return bytes[offset];
  }

  void write(int offset, byte value) {
    byte mask = writable[offset];
    bytes[offset] = (byte) ((bytes[offset] & ~mask) | (value & mask));
  }
}
