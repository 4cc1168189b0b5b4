package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.x86.kvm_irqchip;
import io.github.vfio4j.bindings.x86.kvm_pit_state2;
import io.github.vfio4j.bindings.x86.kvm_x86_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.vmm.kvm.Vm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The interrupt controllers and the timer of a board, as they were at one time. */
final class ChipState {
  private static final int[] CHIPS = {
    kvm_x86_h.KVM_IRQCHIP_PIC_MASTER, kvm_x86_h.KVM_IRQCHIP_PIC_SLAVE, kvm_x86_h.KVM_IRQCHIP_IOAPIC
  };

  private final Vm vm;
  private final List<MemorySegment> chips = new ArrayList<>();
  private final MemorySegment timer;

  ChipState(Vm vm) throws VfioException {
    this.vm = vm;
    Arena arena = Arena.ofAuto();
    for (int number : CHIPS) {
      MemorySegment chip = arena.allocate(kvm_irqchip.LAYOUT);
      kvm_irqchip.chip_id(chip, number);
      vm.ask(Ioctl.KVM_GET_IRQCHIP, chip);
      chips.add(chip);
    }
    timer = arena.allocate(kvm_pit_state2.LAYOUT);
    vm.ask(Ioctl.KVM_GET_PIT2, timer);
  }

  void restore() throws VfioException {
    for (MemorySegment chip : chips) {
      vm.ask(Ioctl.KVM_SET_IRQCHIP, chip);
    }
    vm.ask(Ioctl.KVM_SET_PIT2, timer);
  }
}
