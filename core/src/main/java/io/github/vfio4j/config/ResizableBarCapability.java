package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;

/**
 * Base address registers that can be resized.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param bars the registers, in the device's order
 */
public record ResizableBarCapability(int offset, int version, List<Bar> bars)
    implements PciCapability {
  static final int ID = 0x15;

  private static final int MIB = 20;
  private static final int SIZES_LOW = 28;
  private static final int SIZES_HIGH = 16;

  /**
   * A base address register that can be resized.
   *
   * @param number from 0 to 5
   * @param sizes which sizes it can have: bit 0 stands for 1 MiB, and each further one for twice as
   *     much
   * @param size bytes that it has now; 0 where the device says more than there can be
   */
  public record Bar(int number, long sizes, long size) {}

  /** Keeps its own copy of the list. */
  public ResizableBarCapability {
    bars = List.copyOf(bars);
  }

  static ResizableBarCapability read(CapabilityBytes bytes) throws VfioException {
    int count = bytes.require(12).bits(8, 5, 3);
    bytes.require(4 + count * 8);
    List<Bar> bars = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int capability = 4 + i * 8;
      int control = capability + 4;
      long sizes =
          Integer.toUnsignedLong(bytes.i32(capability) >>> 4)
              | (long) bytes.bits(control, 16, SIZES_HIGH) << SIZES_LOW;
      int exponent = MIB + bytes.bits(control, 8, 6);
      bars.add(
          new Bar(bytes.bits(control, 0, 3), sizes, exponent < Long.SIZE - 1 ? 1L << exponent : 0));
    }
    return new ResizableBarCapability(bytes.offset(), bytes.version(), bars);
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return true;
  }
}
