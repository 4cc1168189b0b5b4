package io.github.vfio4j.model;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A model for tests of the host: one BAR of registers, one of memory, and whatever else is asked.
 */
final class Scratch implements DeviceModel, Registers {
  static final int REGISTERS = 0;
  static final int MEMORY = 2;

  private final PciLayout layout;
  private final long[] words = new long[512];
  @Nullable Bus bus;
  int resets;
  int lastWidth;

  Scratch(PciLayout.Builder builder) {
    layout =
        builder.bar(REGISTERS, Bar.registers(4096, this)).bar(MEMORY, Bar.memory(8192)).build();
  }

  static PciLayout.Builder plain() {
    return PciLayout.of(0x1af4, 0x10f0).resettable().msix(4, REGISTERS, 0x800);
  }

  Bus bus() {
    assert bus != null;
    return bus;
  }

  @Override
  public PciLayout layout() {
    return layout;
  }

  @Override
  public void plugIn(Bus plug) {
    bus = plug;
  }

  @Override
  public void reset() {
    resets++;
    words[0] = 0;
  }

  @Override
  public long read(long offset, int width) {
    lastWidth = width;
    return words[(int) offset / 8] >>> (offset % 8 * 8);
  }

  @Override
  public void write(long offset, int width, long value) {
    lastWidth = width;
    words[(int) offset / 8] = value;
  }

  MemorySegment memory() {
    return bus().barMemory(MEMORY);
  }
}
