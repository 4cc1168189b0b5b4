package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_userspace_memory_region;
import io.github.vfio4j.bindings.x86.kvm_irqchip;
import io.github.vfio4j.bindings.x86.kvm_regs;
import io.github.vfio4j.bindings.x86.kvm_segment;
import io.github.vfio4j.bindings.x86.kvm_sregs;
import io.github.vfio4j.bindings.x86.kvm_x86_h;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Untraced;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/**
 * A virtual machine that a monitor would make, with one processor that deals with one interrupt.
 */
final class TinyVm implements AutoCloseable {
  static final int INTERRUPT = 5;

  /** The port of its outputs, and what it puts out until it has dealt with an interrupt. */
  static final int OUTPUT = 0xe9;

  static final int UNINTERRUPTED = 0xdf;

  private static final int O_RDWR_CLOEXEC = 0x80002;
  private static final int MEMORY = 0x10000;
  private static final int PROGRAM = 0x1000;
  private static final int HANDLER = 0x1100;
  private static final int VECTOR = 0x20 + INTERRUPT;

  /**
   * Where {@code struct kvm_pic_state} is in {@code struct kvm_irqchip}, and its requests in it.
   */
  private static final long REQUESTS = 8 + 1;

  /**
   * Sets the interrupt controller up and tells so by an output, which ends a run; then lets
   * interrupts in for a while, and ends the next run likewise, and those after it. Of eight outputs
   * that end no run, one more to another port does.
   */
  private static final String CODE =
      "b011e620 b020e621 b004e621 b001e621 b0dfe621 e6e9"
          + " fb be0800 bb1000 b9ffff e2fe 4b 75f8 e6e9 4e 75f0 e6ea ebe9";

  /** Tells the controller that the interrupt is dealt with. */
  private static final String HANDLER_CODE = "b020e620 cf";

  private final Kernel kernel = Untraced.kernel();
  private final Arena arena = Arena.ofConfined();
  private final int kvm;
  private final int vm;
  private int processor = -1;

  TinyVm() {
    kvm = require(kernel.open("/dev/kvm", O_RDWR_CLOEXEC));
    vm = require(kernel.ioctl(kvm, kvm_h.KVM_CREATE_VM, 0L));
  }

  private static int require(int answer) {
    assertThat(answer).isNotNegative();
    return answer;
  }

  int fd() {
    return vm;
  }

  int fdOfKvm() {
    return kvm;
  }

  void createInterruptController() {
    require(kernel.ioctl(vm, kvm_h.KVM_CREATE_IRQCHIP, 0L));
  }

  /** Whether the interrupt has arrived at the controller and waits for the processor. */
  boolean isRequested() {
    MemorySegment state = arena.allocate(kvm_irqchip.LAYOUT);
    require(kernel.ioctl(vm, kvm_x86_h.KVM_GET_IRQCHIP, state));
    return (state.get(JAVA_BYTE, REQUESTS) & 1 << INTERRUPT) != 0;
  }

  /** Waits until it does, for five seconds at most. */
  boolean awaitRequest() throws InterruptedException {
    for (int i = 0; !isRequested() && i < 500; i++) {
      Thread.sleep(10);
    }
    return isRequested();
  }

  /** Makes the processor, and has it set the controller up. */
  void start() {
    MemorySegment memory = arena.allocate(MEMORY, 4096);
    HexFormat hex = HexFormat.of();
    copy(hex.parseHex(CODE.replace(" ", "")), memory, PROGRAM);
    copy(hex.parseHex(HANDLER_CODE.replace(" ", "")), memory, HANDLER);
    memory.set(JAVA_SHORT_UNALIGNED, VECTOR * 4L, (short) HANDLER);
    MemorySegment region = arena.allocate(kvm_userspace_memory_region.LAYOUT);
    kvm_userspace_memory_region.memory_size(region, MEMORY);
    kvm_userspace_memory_region.userspace_addr(region, memory.address());
    require(kernel.ioctl(vm, kvm_h.KVM_SET_USER_MEMORY_REGION, region));
    processor = require(kernel.ioctl(vm, kvm_h.KVM_CREATE_VCPU, 0L));
    MemorySegment special = arena.allocate(kvm_sregs.LAYOUT);
    require(kernel.ioctl(processor, kvm_x86_h.KVM_GET_SREGS, special));
    kvm_segment.base(kvm_sregs.cs(special), 0);
    kvm_segment.selector(kvm_sregs.cs(special), (short) 0);
    require(kernel.ioctl(processor, kvm_x86_h.KVM_SET_SREGS, special));
    MemorySegment registers = arena.allocate(kvm_regs.LAYOUT);
    kvm_regs.rip(registers, PROGRAM);
    kvm_regs.rsp(registers, MEMORY - 0x1000);
    kvm_regs.rflags(registers, 2);
    require(kernel.ioctl(processor, kvm_x86_h.KVM_SET_REGS, registers));
    run();
  }

  private static void copy(byte[] code, MemorySegment memory, long at) {
    MemorySegment.copy(code, 0, memory, JAVA_BYTE, at, code.length);
  }

  /** Runs the processor until it says something. */
  void run() {
    require(kernel.ioctl(processor, kvm_h.KVM_RUN, 0L));
  }

  @Override
  public void close() {
    if (processor >= 0) {
      kernel.close(processor);
    }
    kernel.close(vm);
    kernel.close(kvm);
    arena.close();
  }
}
