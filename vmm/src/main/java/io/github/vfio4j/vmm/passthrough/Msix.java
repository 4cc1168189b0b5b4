package io.github.vfio4j.vmm.passthrough;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.MsixCapability;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.vmm.kvm.InterruptRoutes;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * MSI-X: messages of which each has its own address and value, in a table in one of the device's
 * BARs. The guest's table is kept here; the device's own is the host's.
 *
 * <p>A vector is asked of the host when the guest lets it through first, for guests use few of
 * many.
 */
final class Msix implements InterruptKind {
  private static final int CONTROL = 2;
  private static final int ENABLE = 1 << 15;
  private static final int MASK_ALL = 1 << 14;
  private static final int ENTRY = 16;
  private static final int DATA = 8;
  private static final int VECTOR_CONTROL = 12;

  private final ConfigOverlay config;
  private final MsixCapability capability;
  private final IrqIndex irqs;
  private final KvmVm kvm;
  private final InterruptRoutes routes;
  private final ByteBuffer table;
  private final Map<Integer, MessageVector> vectors = new TreeMap<>();

  Msix(
      ConfigOverlay config,
      MsixCapability capability,
      IrqIndex irqs,
      KvmVm kvm,
      InterruptRoutes routes)
      throws VfioException {
    this.config = config;
    this.capability = capability;
    this.irqs = irqs;
    this.kvm = kvm;
    this.routes = routes;
    this.table = ByteBuffer.allocate(capability.vectors() * ENTRY).order(LITTLE_ENDIAN);
    int changeable = ENABLE | MASK_ALL;
    int control = config.readDevice(control(), Short.BYTES) & ~changeable;
    config.keep(control(), Short.BYTES, 0xffff, control, changeable);
    reset();
  }

  private int control() {
    return capability.offset() + CONTROL;
  }

  /** Returns whether an offset in a BAR is of the table. */
  boolean holds(int bar, long offset) {
    return bar == capability.tableBar()
        && offset >= capability.tableOffset()
        && offset - capability.tableOffset() < table.capacity();
  }

  /** Reads the table, by an offset in its BAR that it holds. */
  long read(long offset, int width) {
    int at = (int) (offset - capability.tableOffset());
    if (at % width != 0) {
      return -1;
    }
    synchronized (config) {
      if (config.isClosed()) {
        return -1;
      }
      return switch (width) {
        case Integer.BYTES -> table.getInt(at);
        case Long.BYTES -> table.getLong(at);
        default -> -1;
      };
    }
  }

  /** Writes the table, by an offset in its BAR that it holds. */
  void write(long offset, int width, long value) throws VfioException {
    int at = (int) (offset - capability.tableOffset());
    if (at % width != 0 || width < Integer.BYTES) {
      return;
    }
    synchronized (config) {
      if (config.isClosed()) {
        return;
      }
      if (width == Integer.BYTES) {
        table.putInt(at, (int) value);
      } else {
        table.putLong(at, value);
      }
      if (isChosen()) {
        refresh(at / ENTRY);
      }
    }
  }

  /** Masks all vectors, as they are after a reset. */
  void reset() {
    for (int i = 0; i < capability.vectors(); i++) {
      table.putLong(i * ENTRY, 0).putLong(i * ENTRY + DATA, 1L << Integer.SIZE);
    }
  }

  @Override
  public boolean isChosen() {
    return (config.value(control(), Short.BYTES) & ENABLE) != 0;
  }

  @Override
  public void refresh() throws VfioException {
    if (vectors.isEmpty()) {
      add(
          irqs.enable(
              0)); // so that the device itself is in this mode, as some look whether they are
    }
    for (int i = 0; i < capability.vectors(); i++) {
      refresh(i);
    }
  }

  private void refresh(int index) throws VfioException {
    boolean masked =
        (table.getInt(index * ENTRY + VECTOR_CONTROL) & 1) != 0
            || (config.value(control(), Short.BYTES) & MASK_ALL) != 0;
    MessageVector vector = vectors.get(index);
    if (masked) {
      if (vector != null) {
        vector.mask();
      }
      return;
    }
    if (vector == null) {
      vector = enable(index);
    }
    vector.deliver(table.getLong(index * ENTRY), table.getInt(index * ENTRY + DATA));
  }

  private MessageVector enable(int index) throws VfioException {
    if (irqs.resizable()) {
      return add(irqs.enable(index));
    }
    stop(); // and all anew: before Linux 6.5 the host adds none to those that there are
    MessageVector last = null;
    for (Interrupt each : irqs.enable(IntStream.rangeClosed(0, index).toArray())) {
      last = add(each);
    }
    for (int i = 0; i < index; i++) {
      refresh(i);
    }
    return Objects.requireNonNull(last);
  }

  private MessageVector add(Interrupt interrupt) {
    MessageVector vector = new MessageVector(interrupt, kvm, routes.addMessage());
    vectors.put(interrupt.vector(), vector);
    return vector;
  }

  @Override
  public void stop() throws VfioException {
    Closing closing = new Closing();
    for (MessageVector vector : vectors.values()) {
      vector.close(closing);
    }
    vectors.clear();
    closing.attempt(irqs::disable);
    closing.rethrow();
  }
}
