package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.outcome.Closing;
import java.util.ArrayList;
import java.util.List;

/**
 * The base address registers of a function, which are kept here: the guest moves the BARs by them,
 * and the device stays where the host has put it.
 */
final class BarRegisters {
  static final int COMMAND = 0x04;
  static final int PORTS_ENABLED = 1;
  static final int MEMORY_ENABLED = 2;
  static final int FIRST = 0x10;
  static final int ROM = 0x30;

  private static final long NOWHERE = -1;
  private static final int PORT_FLAGS = 3;
  private static final int PORT = 1;
  private static final int MEMORY_FLAGS = 0xf;
  private static final int WIDE = 4;
  private static final int PREFETCHABLE = 8;
  private static final int ROM_ENABLED = 1;
  private static final int ROM_FLAGS = 0x7ff;

  /**
   * A register, the enabling bit of the command that it needs, and its bits that are no address.
   */
  private record Register(int at, Bar bar, int enabling, int flags, boolean wide) {}

  private final ConfigOverlay config;
  private final List<Register> registers = new ArrayList<>();

  BarRegisters(ConfigOverlay config) {
    this.config = config;
    config.keep(
        COMMAND, Short.BYTES, PORTS_ENABLED | MEMORY_ENABLED, 0, PORTS_ENABLED | MEMORY_ENABLED);
    for (int i = 0; i < 6; i++) {
      config.fix(FIRST + i * Integer.BYTES, Integer.BYTES, -1, 0);
    }
    config.fix(ROM, Integer.BYTES, -1, 0);
  }

  /**
   * Adds a BAR of a size that is a power of two.
   *
   * @param first where it is before the guest puts it anywhere, a multiple of the size
   */
  void add(BaseAddress register, long size, long first, Bar bar) {
    int at = FIRST + register.number() * Integer.BYTES;
    boolean ports = register.kind() == BaseAddress.Kind.IO;
    boolean wide = register.kind() == BaseAddress.Kind.MEMORY_64;
    int kind = ports ? PORT : (wide ? WIDE : 0) | (register.prefetchable() ? PREFETCHABLE : 0);
    int flags = ports ? PORT_FLAGS : MEMORY_FLAGS;
    config.keep(at, Integer.BYTES, -1, (int) first | kind, (int) -size & ~flags);
    if (wide) {
      config.keep(
          at + Integer.BYTES,
          Integer.BYTES,
          -1,
          (int) (first >>> Integer.SIZE),
          (int) (-size >>> Integer.SIZE));
    }
    registers.add(new Register(at, bar, ports ? PORTS_ENABLED : MEMORY_ENABLED, flags, wide));
  }

  /** Adds the ROM, of a size that is a power of two, 2 KiB at least. */
  void addRom(long size, Bar rom) {
    config.keep(ROM, Integer.BYTES, -1, 0, ((int) -size & ~ROM_FLAGS) | ROM_ENABLED);
    registers.add(new Register(ROM, rom, MEMORY_ENABLED, ROM_FLAGS, false));
  }

  /** Moves the BARs to where their registers say. */
  void follow() throws VfioException {
    Closing closing = new Closing();
    for (Register register : registers) {
      closing.attempt(() -> register.bar.leave(address(register)));
    }
    for (Register register : registers) {
      closing.attempt(() -> register.bar.place(address(register)));
    }
    closing.rethrow();
  }

  /** Lets devices that have come since reach the BARs. */
  void sharePeers() {
    registers.forEach(register -> register.bar.sharePeers());
  }

  /** Lets other devices reach the BARs again, after the device was reset. */
  void restorePeers() {
    registers.forEach(register -> register.bar.restorePeers());
  }

  private long address(Register register) {
    int low = config.value(register.at, Integer.BYTES);
    boolean enabled =
        (config.value(COMMAND, Short.BYTES) & register.enabling) != 0
            && (register.at != ROM || (low & ROM_ENABLED) != 0);
    if (!enabled) {
      return NOWHERE;
    }
    long high = register.wide ? config.value(register.at + Integer.BYTES, Integer.BYTES) : 0;
    return high << Integer.SIZE | Integer.toUnsignedLong(low & ~register.flags);
  }

  void close(Closing closing) {
    for (Register register : registers) {
      register.bar.close(closing);
    }
  }
}
