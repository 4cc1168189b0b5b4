package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_irq_routing;
import io.github.vfio4j.bindings.kvm_irq_routing_entry;
import io.github.vfio4j.bindings.kvm_irq_routing_irqchip;
import io.github.vfio4j.bindings.kvm_irq_routing_msi;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the guest's interrupts go, each with a number (GSI): to a pin of an interrupt controller,
 * or to a processor as a message; {@code KVM_SET_GSI_ROUTING}, which takes all of them at once.
 * Thread-safe.
 */
public final class InterruptRoutes {
  private record Pin(int gsi, int chip, int number) {}

  private record Message(long address, int data) {}

  private final Vm machine;
  private final List<Pin> pins = new ArrayList<>();
  private final Map<Integer, Message> messages = new TreeMap<>();
  private int firstMessage;

  InterruptRoutes(Vm machine) {
    this.machine = machine;
  }

  /**
   * Takes note of a pin; the machine is told of it with the first message. One number may have a
   * pin of several controllers. All pins come before the first message.
   *
   * @param chip the kernel's number of the interrupt controller
   */
  public synchronized void addPin(int gsi, int chip, int number) {
    pins.add(new Pin(gsi, chip, number));
    firstMessage = Math.max(firstMessage, gsi + 1);
  }

  /**
   * Returns a number for a message, which goes nowhere until it is {@linkplain MessageRoute set}.
   */
  public synchronized MessageRoute addMessage() {
    int gsi = firstMessage;
    while (messages.containsKey(gsi)) {
      gsi++;
    }
    messages.put(gsi, new Message(0, 0));
    return new MessageRoute(this, gsi);
  }

  synchronized void set(int gsi, long address, int data) throws VfioException {
    Message now = new Message(address, data);
    Message former = messages.put(gsi, now);
    if (former != null && !now.equals(former)) {
      try {
        tell();
      } catch (Throwable e) {
        messages.put(gsi, former);
        throw e;
      }
    }
  }

  /** The machine keeps the route until it is told of another one: nothing uses it any more. */
  synchronized void remove(int gsi) {
    messages.remove(gsi);
  }

  private void tell() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      int count = pins.size() + messages.size();
      MemorySegment table =
          arena.allocate(kvm_irq_routing.SIZEOF + count * kvm_irq_routing_entry.SIZEOF, Long.BYTES);
      kvm_irq_routing.nr(table, count);
      int index = 0;
      for (Pin pin : pins) {
        MemorySegment entry = entry(table, index++, pin.gsi, kvm_h.KVM_IRQ_ROUTING_IRQCHIP);
        MemorySegment chip = kvm_irq_routing_entry.u.irqchip(kvm_irq_routing_entry.u(entry));
        kvm_irq_routing_irqchip.irqchip(chip, pin.chip);
        kvm_irq_routing_irqchip.pin(chip, pin.number);
      }
      for (Map.Entry<Integer, Message> each : messages.entrySet()) {
        MemorySegment entry = entry(table, index++, each.getKey(), kvm_h.KVM_IRQ_ROUTING_MSI);
        MemorySegment message = kvm_irq_routing_entry.u.msi(kvm_irq_routing_entry.u(entry));
        kvm_irq_routing_msi.address_lo(message, (int) each.getValue().address);
        kvm_irq_routing_msi.address_hi(message, (int) (each.getValue().address >>> Integer.SIZE));
        kvm_irq_routing_msi.data(message, each.getValue().data);
      }
      machine.ask(Ioctl.KVM_SET_GSI_ROUTING, table);
    }
  }

  private static MemorySegment entry(MemorySegment table, int index, int gsi, int type) {
    MemorySegment entry = kvm_irq_routing.entries(table, index);
    kvm_irq_routing_entry.gsi(entry, gsi);
    kvm_irq_routing_entry.type(entry, type);
    return entry;
  }
}
