package io.github.vfio4j.kvm;

import java.util.OptionalLong;

/**
 * A write of a guest: where it goes, how long it is, and which value it has, if only that one is
 * meant.
 *
 * @param port whether it goes to a port of x86, and not to memory
 * @param address the guest's physical address, or the number of the port
 * @param bytes how long it is: 1, 2, 4 or 8; 0 where a write of any length is meant
 * @param data the value, or empty where any is meant
 */
public record GuestWrite(boolean port, long address, int bytes, OptionalLong data) {
  private static final int PORTS = 1 << Short.SIZE;

  /**
   * Checks what the kernel would refuse, or what would never match.
   *
   * @throws IllegalArgumentException if there is no such length, or no such port; if it would go
   *     beyond the end of all addresses; or if a value does not fit, or has no length
   */
  public GuestWrite {
    if (bytes < 0 || bytes > Long.BYTES || Integer.bitCount(bytes) > 1) {
      throw new IllegalArgumentException("a write has 1, 2, 4 or 8 bytes, or 0 for any: " + bytes);
    }
    if (port ? address < 0 || address > PORTS - bytes : address < 0 && address + bytes > 0) {
      throw new IllegalArgumentException(
          "no guest writes %d bytes at %s%#x".formatted(bytes, port ? "port " : "", address));
    }
    if (data.isPresent() && !fits(data.getAsLong(), bytes)) {
      throw new IllegalArgumentException(
          "%#x is nothing that %d bytes are".formatted(data.getAsLong(), bytes));
    }
  }

  private static boolean fits(long data, int bytes) {
    return bytes == Long.BYTES || (bytes > 0 && data >>> (bytes * Byte.SIZE) == 0);
  }

  /**
   * Returns the write of any value to memory.
   *
   * @param address the guest's physical address
   * @param bytes how long it is: 1, 2, 4 or 8; 0 for any length
   * @return the write
   * @throws IllegalArgumentException as the constructor does
   */
  public static GuestWrite toMemory(long address, int bytes) {
    return new GuestWrite(false, address, bytes, OptionalLong.empty());
  }

  /**
   * Returns the write of any value to a port of x86.
   *
   * @param port the number of the port
   * @param bytes how long it is: 1, 2 or 4; 0 for any length
   * @return the write
   * @throws IllegalArgumentException as the constructor does
   */
  public static GuestWrite toPort(int port, int bytes) {
    return new GuestWrite(true, port, bytes, OptionalLong.empty());
  }

  /**
   * Returns this write where it is of one value.
   *
   * @param value the value, as an unsigned number of this length
   * @return the write
   * @throws IllegalArgumentException if the value does not fit
   */
  public GuestWrite of(long value) {
    return new GuestWrite(port, address, bytes, OptionalLong.of(value));
  }

  /** Returns what is written where. */
  @Override
  public String toString() {
    return "a write of %s%s at %s%#x"
        .formatted(
            data.isPresent() ? "%#x, ".formatted(data.getAsLong()) : "",
            bytes == 0 ? "any length" : bytes * Byte.SIZE + " bits",
            port ? "port " : "",
            address);
  }
}
