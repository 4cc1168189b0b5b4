package io.github.vfio4j.model.nvme;

import io.github.vfio4j.model.Bus;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/** Memory of the controller's own (controller memory buffer), in which submission queues can be. */
final class ControllerMemory {
  static final int BAR = 2;
  static final int PAGE = 4096;

  private static final long REGISTERS_ENABLED = 1;
  private static final long SPACE_ENABLED = 1 << 1;
  private static final int SUBMISSION_QUEUES = 1;

  private final Supplier<Bus> bus;
  private int size;
  private int location = BAR;
  private int description;
  private long control;

  ControllerMemory(Supplier<Bus> bus) {
    this.bus = bus;
  }

  void setSize(int bytes) {
    size = bytes;
    description = ((bytes / PAGE) << 12) | SUBMISSION_QUEUES;
  }

  /** Says something else of it than what is. */
  void describe(int otherLocation, int otherDescription) {
    location = otherLocation;
    description = otherDescription;
  }

  boolean isThere() {
    return size != 0;
  }

  int location() {
    return isShown() ? location : 0;
  }

  int description() {
    return isShown() ? description : 0;
  }

  private boolean isShown() {
    return isThere() && (control & REGISTERS_ENABLED) != 0;
  }

  long control() {
    return control;
  }

  void control(long value) {
    control = isThere() ? value : 0;
  }

  /** Returns 1 where the address is one that the memory cannot be at. */
  int status() {
    return isInUse() && Long.compareUnsigned(base(), -(long) size) >= 0 ? 1 : 0;
  }

  private boolean isInUse() {
    return isShown() && (control & SPACE_ENABLED) != 0;
  }

  private long base() {
    return control & -PAGE;
  }

  /** Returns whether an address is one of this memory's. */
  boolean has(long address) {
    return isInUse() && Long.compareUnsigned(address - base(), size) < 0;
  }

  void read(long address, MemorySegment target) {
    target.copyFrom(bus.get().barMemory(BAR).asSlice(address - base(), target.byteSize()));
  }
}
