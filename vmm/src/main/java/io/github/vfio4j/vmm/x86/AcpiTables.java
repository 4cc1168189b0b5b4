package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.vfio4j.vmm.board.Board.MemoryRange;
import io.github.vfio4j.vmm.pci.PciHost;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The tables by which firmware tells a guest what its board has (ACPI 6). */
final class AcpiTables {
  private static final int HEADER = 36;
  private static final int CHECKSUM = 9;
  private static final int ALIGNMENT = 16;
  static final int SCI = 9;

  private final long base;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private AcpiTables(long base) {
    this.base = base;
  }

  /**
   * Returns all tables.
   *
   * @param base where they are, with the pointer to the others in front
   * @param processors how many there are
   * @param pci what they tell of the bus
   * @param memory where it is
   * @param initiators the slots of devices with memory of their own, once for each node they have
   */
  static byte[] of(
      long base, int processors, PciHost pci, List<MemoryRange> memory, List<Integer> initiators) {
    AcpiTables tables = new AcpiTables(base);
    tables.add(new byte[HEADER]); // in whose place the pointer comes
    long facs = tables.add(facs());
    long dsdt = tables.add(table("DSDT", 2, AcpiNamespace.bytes(pci)));
    List<Long> listed = new ArrayList<>();
    listed.add(tables.add(fadt(facs, dsdt)));
    listed.add(tables.add(madt(processors)));
    listed.add(tables.add(mcfg()));
    if (!initiators.isEmpty()) {
      listed.add(tables.add(table("SRAT", 3, Affinity.body(processors, memory, initiators))));
    }
    byte[] list = new byte[listed.size() * Long.BYTES];
    listed.forEach(of(list)::putLong);
    long xsdt = tables.add(table("XSDT", 1, list));
    byte[] all = tables.bytes.toByteArray();
    byte[] pointer = pointer(xsdt);
    System.arraycopy(pointer, 0, all, 0, pointer.length);
    return all;
  }

  private long add(byte[] table) {
    while (bytes.size() % ALIGNMENT != 0) {
      bytes.write(0);
    }
    long address = base + bytes.size();
    bytes.writeBytes(table);
    return address;
  }

  private static ByteBuffer of(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
  }

  private static byte[] table(String signature, int revision, byte[] body) {
    byte[] bytes = new byte[HEADER + body.length];
    ByteBuffer table = of(bytes);
    table.put(signature.getBytes(US_ASCII)).putInt(table.limit());
    table.put((byte) revision).put((byte) 0);
    table.put("VFIO4J".getBytes(US_ASCII)).put("VMM     ".getBytes(US_ASCII)).putInt(1);
    table.put("VF4J".getBytes(US_ASCII)).putInt(1).put(body);
    table.put(CHECKSUM, checksum(bytes, bytes.length));
    return bytes;
  }

  private static byte checksum(byte[] bytes, int size) {
    int sum = 0;
    for (int i = 0; i < size; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }

  private static byte[] pointer(long xsdt) {
    byte[] bytes = new byte[HEADER];
    ByteBuffer pointer = of(bytes);
    pointer.put("RSD PTR ".getBytes(US_ASCII)).put((byte) 0);
    pointer.put("VFIO4J".getBytes(US_ASCII)).put((byte) 2).putInt(0);
    pointer.putInt(HEADER).putLong(xsdt);
    pointer.put(8, checksum(bytes, 20));
    pointer.put(32, checksum(bytes, HEADER));
    return bytes;
  }

  private static byte[] facs() {
    byte[] facs = new byte[64];
    of(facs).put("FACS".getBytes(US_ASCII)).putInt(facs.length).put(32, (byte) 2);
    return facs;
  }

  /** The fixed registers, see {@link PowerPorts}. Offsets are those of the whole table. */
  private static byte[] fadt(long facs, long dsdt) {
    byte[] body = new byte[276 - HEADER];
    ByteBuffer fadt = of(body);
    fadt.putInt(36 - HEADER, (int) facs).putInt(40 - HEADER, (int) dsdt);
    fadt.putShort(46 - HEADER, (short) SCI);
    fadt.putInt(56 - HEADER, PowerPorts.EVENT_PORT);
    fadt.putInt(64 - HEADER, PowerPorts.CONTROL_PORT);
    fadt.putInt(76 - HEADER, PowerPorts.TIMER_PORT);
    fadt.putInt(80 - HEADER, Layout.EVENTS_PORT).put(92 - HEADER, (byte) GeneralEvents.SIZE);
    fadt.put(88 - HEADER, (byte) 4).put(89 - HEADER, (byte) 2).put(91 - HEADER, (byte) 4);
    fadt.putShort(96 - HEADER, (short) 0xfff).putShort(98 - HEADER, (short) 0xfff);
    fadt.putShort(109 - HEADER, (short) 0x24); // neither VGA nor a clock of the date
    fadt.putInt(112 - HEADER, 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10);
    fadt.putInt(116 - HEADER, 0x01_00_08_01).putLong(120 - HEADER, PowerPorts.RESET_PORT);
    fadt.put(128 - HEADER, (byte) PowerPorts.RESET_VALUE);
    fadt.putLong(140 - HEADER, dsdt);
    return table("FACP", 6, body);
  }

  private static byte[] madt(int processors) {
    byte[] body = new byte[8 + processors * 8 + 12 + 10 + 6];
    ByteBuffer madt = of(body);
    madt.putInt((int) Layout.LOCAL_APIC).putInt(1);
    for (int i = 0; i < processors; i++) {
      madt.put((byte) 0).put((byte) 8).put((byte) i).put((byte) i).putInt(1);
    }
    madt.put((byte) 1).put((byte) 12).putShort((short) 0);
    madt.putInt((int) Layout.IO_APIC).putInt(0);
    madt.put((byte) 2).put((byte) 10).put((byte) 0).put((byte) SCI).putInt(SCI);
    madt.putShort((short) 0xd); // active high, by level
    madt.put((byte) 4).put((byte) 6).put((byte) 0xff).putShort((short) 0).put((byte) 1);
    return table("APIC", 4, body);
  }

  /** Where the configuration spaces are in memory, of one bus. */
  private static byte[] mcfg() {
    byte[] body = new byte[8 + 16];
    of(body).putLong(8, Layout.ECAM);
    return table("MCFG", 1, body);
  }
}
