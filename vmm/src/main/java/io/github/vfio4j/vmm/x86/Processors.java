package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.x86.kvm_cpuid2;
import io.github.vfio4j.bindings.x86.kvm_cpuid_entry2;
import io.github.vfio4j.bindings.x86.kvm_dtable;
import io.github.vfio4j.bindings.x86.kvm_lapic_state;
import io.github.vfio4j.bindings.x86.kvm_msr_entry;
import io.github.vfio4j.bindings.x86.kvm_msrs;
import io.github.vfio4j.bindings.x86.kvm_regs;
import io.github.vfio4j.bindings.x86.kvm_segment;
import io.github.vfio4j.bindings.x86.kvm_sregs;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What x86 processors are before they run: their features, and the first one's registers. */
final class Processors {
  private static final int MOST_FEATURES = 256;
  private static final int FEATURE_SIZE = (int) kvm_cpuid_entry2.LAYOUT.byteSize();

  private static final int BASIC = 1;
  private static final int TOPOLOGY = 0xb;
  private static final int TOPOLOGY_2 = 0x1f;
  private static final int EXTENDED = 0x8000_0001;
  private static final int SIZES = 0x8000_0008;
  private static final int TOPOLOGY_OF_AMD = 0x8000_001e;
  private static final int HYPERVISOR = 1 << 31;
  private static final int VMX = 1 << 5;
  private static final int SVM = 1 << 2;

  private static final int MTRR_DEFAULT = 0x2ff;

  /** Memory ranges are on, and memory that none of them names is cached. */
  private static final int CACHED = 0x806;

  private static final int CODE = 0x10;
  private static final int DATA = 0x18;
  private static final byte CODE_TYPE = 11;
  private static final byte DATA_TYPE = 3;
  private static final int GDT_LIMIT = 4 * Long.BYTES - 1;
  private static final long PROTECTED_AND_PAGED = 0x8000_0033L;
  private static final long WIDE_ENTRIES = 1 << 5;
  private static final long LONG_MODE = 0x500;

  private static final int LINE_0 = 0x350;
  private static final int LINE_1 = 0x360;
  private static final int FROM_THE_PIC = 0x700;
  private static final int NON_MASKABLE = 0x400;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment supported;

  Processors(Kvm kvm) throws VfioException {
    supported = arena.allocate(kvm_cpuid2.SIZEOF + (long) MOST_FEATURES * FEATURE_SIZE, Long.BYTES);
    kvm_cpuid2.nent(supported, MOST_FEATURES);
    kvm.fill(Ioctl.KVM_GET_SUPPORTED_CPUID, supported);
    int count = kvm_cpuid2.nent(supported);
    if (count < 0 || count > MOST_FEATURES) {
      throw Answer.impossible(
          Ioctl.KVM_GET_SUPPORTED_CPUID, kvm.toString(), count + " features, of 256 at most");
    }
  }

  /** Gives a processor all features that KVM has, but that of running virtual machines. */
  void setFeatures(Vcpu vcpu) throws VfioException {
    int id = vcpu.id();
    for (int i = 0; i < kvm_cpuid2.nent(supported); i++) {
      MemorySegment feature = kvm_cpuid2.entries(supported, i);
      switch (kvm_cpuid_entry2.function(feature)) {
        case BASIC -> {
          int ebx = kvm_cpuid_entry2.ebx(feature) & 0xffff;
          kvm_cpuid_entry2.ebx(feature, ebx | 1 << 16 | id << 24);
          kvm_cpuid_entry2.ecx(feature, (kvm_cpuid_entry2.ecx(feature) & ~VMX) | HYPERVISOR);
        }
        case EXTENDED -> kvm_cpuid_entry2.ecx(feature, kvm_cpuid_entry2.ecx(feature) & ~SVM);
        case SIZES -> kvm_cpuid_entry2.ecx(feature, 0); // each processor is a chip of its own
        case TOPOLOGY, TOPOLOGY_2 -> {
          kvm_cpuid_entry2.eax(feature, 0);
          kvm_cpuid_entry2.ebx(feature, 0);
          kvm_cpuid_entry2.ecx(feature, 0);
          kvm_cpuid_entry2.edx(feature, id);
        }
        case TOPOLOGY_OF_AMD -> {
          kvm_cpuid_entry2.eax(feature, id);
          kvm_cpuid_entry2.ebx(feature, 0);
          kvm_cpuid_entry2.ecx(feature, 0);
        }
        default -> {}
      }
    }
    vcpu.ask(Ioctl.KVM_SET_CPUID2, supported);
  }

  /** Sets what firmware sets on every processor: caching, and where a PC's own lines go. */
  void prepare(Vcpu vcpu) throws VfioException {
    MemorySegment registers = arena.allocate(kvm_msrs.SIZEOF + kvm_msr_entry.SIZEOF, Long.BYTES);
    kvm_msrs.nmsrs(registers, 1);
    MemorySegment entry = kvm_msrs.entries(registers, 0);
    kvm_msr_entry.index(entry, MTRR_DEFAULT);
    kvm_msr_entry.data(entry, CACHED);
    if (vcpu.count(Ioctl.KVM_SET_MSRS, registers) != 1) {
      throw Answer.impossible(Ioctl.KVM_SET_MSRS, vcpu.toString(), "set no register of one");
    }
    MemorySegment apic = arena.allocate(kvm_lapic_state.LAYOUT);
    vcpu.ask(Ioctl.KVM_GET_LAPIC, apic);
    apic.set(ValueLayout.JAVA_INT, LINE_0, FROM_THE_PIC);
    apic.set(ValueLayout.JAVA_INT, LINE_1, NON_MASKABLE);
    vcpu.ask(Ioctl.KVM_SET_LAPIC, apic);
  }

  /** Has a processor begin in Linux, in 64-bit mode, as its boot protocol says. */
  void enter(Vcpu vcpu, long entry) throws VfioException {
    MemorySegment special = arena.allocate(kvm_sregs.LAYOUT);
    vcpu.ask(Ioctl.KVM_GET_SREGS, special);
    segment(kvm_sregs.cs(special), CODE, CODE_TYPE, true);
    segment(kvm_sregs.ds(special), DATA, DATA_TYPE, false);
    segment(kvm_sregs.es(special), DATA, DATA_TYPE, false);
    segment(kvm_sregs.ss(special), DATA, DATA_TYPE, false);
    kvm_dtable.base(kvm_sregs.gdt(special), Layout.GDT);
    kvm_dtable.limit(kvm_sregs.gdt(special), (short) GDT_LIMIT);
    kvm_sregs.cr0(special, PROTECTED_AND_PAGED);
    kvm_sregs.cr3(special, Layout.PAGE_TABLES);
    kvm_sregs.cr4(special, WIDE_ENTRIES);
    kvm_sregs.efer(special, LONG_MODE);
    vcpu.ask(Ioctl.KVM_SET_SREGS, special);
    MemorySegment registers = arena.allocate(kvm_regs.LAYOUT);
    kvm_regs.rip(registers, entry);
    kvm_regs.rsi(registers, Layout.PARAMETERS);
    kvm_regs.rsp(registers, Layout.PARAMETERS);
    kvm_regs.rflags(registers, 2);
    vcpu.ask(Ioctl.KVM_SET_REGS, registers);
  }

  private static void segment(MemorySegment segment, int selector, byte type, boolean code) {
    kvm_segment.base(segment, 0);
    kvm_segment.limit(segment, -1);
    kvm_segment.selector(segment, (short) selector);
    kvm_segment.type(segment, type);
    kvm_segment.present(segment, (byte) 1);
    kvm_segment.dpl(segment, (byte) 0);
    kvm_segment.s(segment, (byte) 1);
    kvm_segment.db(segment, (byte) (code ? 0 : 1));
    kvm_segment.l(segment, (byte) (code ? 1 : 0));
    kvm_segment.g(segment, (byte) 1);
  }
}
