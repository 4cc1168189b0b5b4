package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.MsiCapability;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.vmm.kvm.InterruptRoutes;
import java.util.ArrayList;
import java.util.List;

/** MSI: some messages at one address, whose numbers are added to one value. */
final class Msi implements InterruptKind {
  private static final int CONTROL = 2;
  private static final int ENABLE = 1;
  private static final int VECTORS_IN_USE = 7 << 4;
  private static final int ADDRESS = 4;
  private static final int ADDRESS_MASK = ~3;

  private final ConfigOverlay config;
  private final int at;
  private final boolean wide;
  private final boolean maskable;
  private final IrqIndex irqs;
  private final KvmVm kvm;
  private final InterruptRoutes routes;
  private final List<MessageVector> vectors = new ArrayList<>();

  Msi(
      ConfigOverlay config,
      MsiCapability capability,
      IrqIndex irqs,
      KvmVm kvm,
      InterruptRoutes routes)
      throws VfioException {
    this.config = config;
    this.at = capability.offset();
    this.wide = capability.wide();
    this.maskable = capability.maskable();
    this.irqs = irqs;
    this.kvm = kvm;
    this.routes = routes;
    int changeable = ENABLE | VECTORS_IN_USE;
    int control = config.readDevice(at + CONTROL, Short.BYTES) & ~changeable;
    config.keep(at + CONTROL, Short.BYTES, 0xffff, control, changeable);
    config.keep(at + ADDRESS, Integer.BYTES, -1, 0, ADDRESS_MASK);
    if (wide) {
      config.keep(at + ADDRESS + Integer.BYTES, Integer.BYTES, -1, 0, -1);
    }
    config.keep(data(), Short.BYTES, 0xffff, 0, 0xffff);
    if (maskable) {
      config.keep(mask(), Integer.BYTES, -1, 0, -1);
      config.fix(mask() + Integer.BYTES, Integer.BYTES, -1, 0);
    }
  }

  private int data() {
    return at + (wide ? 0x0c : 0x08);
  }

  private int mask() {
    return at + (wide ? 0x10 : 0x0c);
  }

  @Override
  public boolean isChosen() {
    return (config.value(at + CONTROL, Short.BYTES) & ENABLE) != 0;
  }

  @Override
  public void refresh() throws VfioException {
    if (vectors.isEmpty()) {
      int wanted = 1 << ((config.value(at + CONTROL, Short.BYTES) & VECTORS_IN_USE) >>> 4);
      // without interrupt remapping the host has one only; the others never come then
      for (Interrupt interrupt : irqs.enableUpTo(Math.min(wanted, irqs.count()))) {
        vectors.add(new MessageVector(interrupt, kvm, routes.addMessage()));
      }
    }
    long address = Integer.toUnsignedLong(config.value(at + ADDRESS, Integer.BYTES));
    if (wide) {
      address |= (long) config.value(at + ADDRESS + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
    }
    int data = config.value(data(), Short.BYTES);
    int masked = maskable ? config.value(mask(), Integer.BYTES) : 0;
    for (int i = 0; i < vectors.size(); i++) {
      if ((masked >>> i & 1) != 0) {
        vectors.get(i).mask();
      } else {
        vectors.get(i).deliver(address, data | i);
      }
    }
  }

  @Override
  public void stop() throws VfioException {
    Closing closing = new Closing();
    for (MessageVector vector : vectors) {
      vector.close(closing);
    }
    vectors.clear();
    closing.attempt(irqs::disable);
    closing.rethrow();
  }
}
