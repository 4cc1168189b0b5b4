package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.BusDevice;

/**
 * The general-purpose events of ACPI (GPE): a status and an enabling bit for each, and one line for
 * all. The guest's firmware tables say what it is to do on each. Thread-safe.
 */
final class GeneralEvents implements BusDevice {
  /** How many bytes of ports: as many of status as of enabling. */
  static final int SIZE = 2;

  private final Serial.Line line;
  private int status;
  private int enabled;
  private boolean asserted;

  GeneralEvents(Serial.Line line) {
    this.line = line;
  }

  /** Makes an event happen. */
  synchronized void raise(int event) throws VfioException {
    status |= 1 << event;
    update();
  }

  synchronized void reset() throws VfioException {
    status = 0;
    enabled = 0;
    update();
  }

  @Override
  public synchronized long read(long offset, int width) {
    long both = status | enabled << Byte.SIZE;
    return both >>> (offset * Byte.SIZE);
  }

  @Override
  public synchronized void write(long offset, int width, long value) throws VfioException {
    if (offset == 0) {
      status &= (int) ~value;
    }
    if (offset == 1 || width > 1) {
      enabled = (int) (value >>> ((1 - offset) * Byte.SIZE)) & 0xff;
    }
    update();
  }

  private void update() throws VfioException {
    boolean wanted = (status & enabled) != 0;
    if (wanted != asserted) {
      asserted = wanted;
      line.set(wanted);
    }
  }
}
