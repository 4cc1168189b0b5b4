package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_mp_state;
import io.github.vfio4j.bindings.x86.kvm_debugregs;
import io.github.vfio4j.bindings.x86.kvm_lapic_state;
import io.github.vfio4j.bindings.x86.kvm_msr_entry;
import io.github.vfio4j.bindings.x86.kvm_msr_list;
import io.github.vfio4j.bindings.x86.kvm_msrs;
import io.github.vfio4j.bindings.x86.kvm_regs;
import io.github.vfio4j.bindings.x86.kvm_sregs;
import io.github.vfio4j.bindings.x86.kvm_vcpu_events;
import io.github.vfio4j.bindings.x86.kvm_xcrs;
import io.github.vfio4j.bindings.x86.kvm_xsave;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What a guest can change of a processor, as it was at one time. */
final class ProcessorState {
  private static final int MOST_REGISTERS = 1024;

  private record Part(Ioctl restoring, MemorySegment content) {}

  private final Arena arena = Arena.ofAuto();
  private final Vcpu vcpu;
  private final List<Part> parts = new ArrayList<>();
  private final List<MemorySegment> registers = new ArrayList<>();

  /** Takes it while the processor does not run. */
  ProcessorState(Kvm kvm, Vcpu vcpu) throws VfioException {
    this.vcpu = vcpu;
    // in the order in which they are restored: what is in special registers comes before the rest
    save(Ioctl.KVM_GET_SREGS, Ioctl.KVM_SET_SREGS, kvm_sregs.LAYOUT);
    save(Ioctl.KVM_GET_REGS, Ioctl.KVM_SET_REGS, kvm_regs.LAYOUT);
    save(Ioctl.KVM_GET_XSAVE, Ioctl.KVM_SET_XSAVE, kvm_xsave.LAYOUT);
    save(Ioctl.KVM_GET_XCRS, Ioctl.KVM_SET_XCRS, kvm_xcrs.LAYOUT);
    save(Ioctl.KVM_GET_MP_STATE, Ioctl.KVM_SET_MP_STATE, kvm_mp_state.LAYOUT);
    save(Ioctl.KVM_GET_LAPIC, Ioctl.KVM_SET_LAPIC, kvm_lapic_state.LAYOUT);
    save(Ioctl.KVM_GET_VCPU_EVENTS, Ioctl.KVM_SET_VCPU_EVENTS, kvm_vcpu_events.LAYOUT);
    save(Ioctl.KVM_GET_DEBUGREGS, Ioctl.KVM_SET_DEBUGREGS, kvm_debugregs.LAYOUT);
    saveRegisters(kvm);
  }

  private void save(Ioctl saving, Ioctl restoring, MemoryLayout layout) throws VfioException {
    MemorySegment content = arena.allocate(layout);
    vcpu.ask(saving, content);
    parts.add(new Part(restoring, content));
  }

  /** Saves the model-specific registers that KVM names and this processor has. */
  private void saveRegisters(Kvm kvm) throws VfioException {
    MemorySegment list =
        arena.allocate(kvm_msr_list.SIZEOF + MOST_REGISTERS * (long) Integer.BYTES, Integer.BYTES);
    kvm_msr_list.nmsrs(list, MOST_REGISTERS);
    kvm.fill(Ioctl.KVM_GET_MSR_INDEX_LIST, list);
    int count = kvm_msr_list.nmsrs(list);
    if (count < 0 || count > MOST_REGISTERS) {
      throw Answer.impossible(
          Ioctl.KVM_GET_MSR_INDEX_LIST, kvm.toString(), count + " registers, of 1024 at most");
    }
    IntStream named = IntStream.range(0, count).map(i -> kvm_msr_list.indices(list, i));
    for (int index : IntStream.concat(named, memoryTypes()).toArray()) {
      MemorySegment one = arena.allocate(kvm_msrs.SIZEOF + kvm_msr_entry.SIZEOF, Long.BYTES);
      kvm_msrs.nmsrs(one, 1);
      kvm_msr_entry.index(kvm_msrs.entries(one, 0), index);
      if (vcpu.count(Ioctl.KVM_GET_MSRS, one) == 1) {
        registers.add(one);
      }
    }
  }

  /** Those that say how memory is cached, which KVM does not name. */
  private static IntStream memoryTypes() {
    return IntStream.of(0x200, 0x250, 0x258, 0x268, 0x2ff)
        .flatMap(
            first ->
                switch (first) {
                  case 0x200 -> IntStream.range(first, first + 16); // of ranges
                  case 0x258 -> IntStream.of(first, first + 1); // of the first MiB, as the next
                  case 0x268 -> IntStream.range(first, first + 8);
                  default -> IntStream.of(first);
                });
  }

  /** Has the processor, which does not run, begin there again. */
  void restore() throws VfioException {
    for (MemorySegment one : registers) {
      if (vcpu.count(Ioctl.KVM_SET_MSRS, one) != 1) {
        throw Answer.impossible(
            Ioctl.KVM_SET_MSRS,
            vcpu.toString(),
            "does not take its register 0x%x back"
                .formatted(kvm_msr_entry.index(kvm_msrs.entries(one, 0))));
      }
    }
    for (Part part : parts) {
      vcpu.ask(part.restoring, part.content);
    }
  }
}
