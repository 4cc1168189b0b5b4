package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.memory.GuestMemory;
import io.github.vfio4j.vmm.pci.PciHost;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Puts Linux, and all that it wants to find, into a guest's memory. */
final class LinuxBoot {
  private static final int PARAMETERS_SIZE = 4096;
  private static final int RSDP = 0x70;
  private static final int MAP_ENTRIES = 0x1e8;
  private static final int LOADER = 0x210;
  private static final int INITRD = 0x218;
  private static final int INITRD_SIZE = 0x21c;
  private static final int COMMAND_LINE = 0x228;
  private static final int MAP = 0x2d0;
  private static final byte UNKNOWN_LOADER = (byte) 0xff;
  private static final int USABLE = 1;
  private static final int RESERVED = 2;

  private static final int PAGE = 4096;
  private static final int TABLE_ENTRIES = 512;
  private static final long LARGE_PAGE = 2 << 20;
  private static final long PRESENT_WRITABLE = 3;
  private static final long LARGE = 0x80;
  private static final int GIBIBYTES = 4;

  /** Nothing, nothing, code of 64 bits, data, as the protocol wants them. */
  private static final long[] SEGMENTS = {0, 0, 0x00af_9b00_0000_ffffL, 0x00cf_9300_0000_ffffL};

  private final KernelImage kernel;
  private final byte[] initrd;
  private final byte[] commandLine;
  private final long lowMemory;
  private final long highMemory;

  /**
   * Checks that all of it has room.
   *
   * @param low bytes of memory below {@link Layout#HOLE}
   * @param high bytes of memory above 4 GiB
   */
  LinuxBoot(KernelImage kernel, byte[] initrd, String commandLine, long low, long high)
      throws VfioException {
    this.kernel = kernel;
    this.initrd = initrd;
    this.commandLine = (commandLine + "\0").getBytes(UTF_8);
    this.lowMemory = low;
    this.highMemory = high;
    long limit = Math.min(kernel.commandLineLimit(), Layout.COMMAND_LINE_SIZE - 1);
    if (this.commandLine.length - 1 > limit) {
      throw unfit(
          "its command line may have %d bytes, not %d"
              .formatted(limit, this.commandLine.length - 1));
    }
    if (kernel.start() < Layout.ONE_MIB || kernel.end() > initrdAddress()) {
      throw unfit(
          "it needs memory from 0x%x to 0x%x, and 0x%x bytes for its initrd; the guest has 0x%x"
              .formatted(kernel.start(), kernel.end(), initrd.length, low));
    }
  }

  private VfioException unfit(String why) {
    return new VfioException("boot", kernel.toString(), null, why);
  }

  private long initrdAddress() {
    return Math.min(lowMemory, kernel.initrdLimit() + 1) - initrd.length & -PAGE;
  }

  /** Loads it all. */
  void load(GuestMemory memory, byte[] acpi) {
    for (KernelImage.Part part : kernel.parts()) {
      memory.write(part.address(), part.bytes());
    }
    memory.write(initrdAddress(), initrd);
    memory.write(Layout.COMMAND_LINE, commandLine);
    memory.write(Layout.ACPI, acpi);
    memory.write(Layout.PARAMETERS, parameters());
    memory.write(Layout.PAGE_TABLES, pageTables());
    memory.write(Layout.GDT, bytes(SEGMENTS));
  }

  private byte[] parameters() {
    ByteBuffer parameters = ByteBuffer.allocate(PARAMETERS_SIZE).order(LITTLE_ENDIAN);
    parameters.put(KernelImage.HEADER, kernel.header());
    parameters.putLong(RSDP, Layout.ACPI);
    parameters.put(LOADER, UNKNOWN_LOADER);
    parameters.putInt(COMMAND_LINE, (int) Layout.COMMAND_LINE);
    if (initrd.length > 0) {
      parameters.putInt(INITRD, (int) initrdAddress()).putInt(INITRD_SIZE, initrd.length);
    }
    parameters.position(MAP);
    range(parameters, 0, Layout.FIRMWARE, USABLE);
    range(parameters, Layout.FIRMWARE, Layout.ONE_MIB - Layout.FIRMWARE, RESERVED);
    range(parameters, Layout.ONE_MIB, lowMemory - Layout.ONE_MIB, USABLE);
    range(parameters, Layout.ECAM, PciHost.ECAM_SIZE, RESERVED);
    if (highMemory > 0) {
      range(parameters, Layout.FOUR_GIB, highMemory, USABLE);
    }
    parameters.put(MAP_ENTRIES, (byte) (highMemory > 0 ? 5 : 4));
    return parameters.array();
  }

  private static void range(ByteBuffer parameters, long address, long size, int type) {
    parameters.putLong(address).putLong(size).putInt(type);
  }

  /** The first four GiB where they are, in pages of 2 MiB. */
  private static byte[] pageTables() {
    long[] tables = new long[(2 + GIBIBYTES) * TABLE_ENTRIES];
    tables[0] = Layout.PAGE_TABLES + PAGE | PRESENT_WRITABLE;
    for (int i = 0; i < GIBIBYTES; i++) {
      tables[TABLE_ENTRIES + i] = Layout.PAGE_TABLES + (2L + i) * PAGE | PRESENT_WRITABLE;
    }
    for (int i = 0; i < GIBIBYTES * TABLE_ENTRIES; i++) {
      tables[2 * TABLE_ENTRIES + i] = i * LARGE_PAGE | LARGE | PRESENT_WRITABLE;
    }
    return bytes(tables);
  }

  private static byte[] bytes(long[] numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Long.BYTES).order(LITTLE_ENDIAN);
    Arrays.stream(numbers).forEach(bytes::putLong);
    return bytes.array();
  }

  /** Returns where the kernel is entered. */
  long entry() {
    return kernel.entry();
  }
}
