package io.github.vfio4j.bench;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.kvm.Irqfd;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import io.github.vfio4j.vmm.kvm.Vm;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/** A guest that sleeps until it is interrupted; its handler writes to a port. */
final class InterruptedGuest implements AwaitedInterrupt.Sleep {
  private static final int PAGE = 4096;
  private static final long LAST_PAGE = 0xffff_f000L;
  private static final int RESET_VECTOR = 0xff0;
  private static final int START = 0x600;
  private static final int HANDLER = 0x700;

  /** A line of the first interrupt controller (8259), and the vector that the guest gives it. */
  private static final int GSI = 1;

  private static final int VECTOR = 0x20 + GSI;

  /** {@code jmp 0:START}. */
  private static final byte[] ENTRY = {(byte) 0xea, 0, START >> 8, 0, 0};

  /**
   * Tells the controller its four words: to begin, the first vector, where the second controller
   * is, for this kind of processor. Masks no line, sets up a stack, says by an output that it is
   * ready, and sleeps with interrupts, again and again.
   */
  private static final byte[] PROGRAM =
      HexFormat.of().parseHex("b011e620b020e621b004e621b001e621b000e621bc0010e680fbf4ebfd");

  /** {@code out 0x80, al}, the end of the interrupt, {@code iret}. */
  private static final byte[] ON_INTERRUPT = {
    (byte) 0xe6, (byte) 0x80, (byte) 0xb0, 0x20, (byte) 0xe6, 0x20, (byte) 0xcf
  };

  private final Kvm kvm;
  private final Vm vm;
  private final MemoryFile last;
  private final MemoryFile first;
  private final Vcpu vcpu;
  private final KvmVm interrupted;
  private final Irqfd irqfd;

  InterruptedGuest(Interrupt interrupt) throws VfioException {
    kvm = Kvm.open();
    vm = kvm.createVm();
    vm.createInterruptControllers();
    last = MemoryFile.create("last page", PAGE);
    write(last, RESET_VECTOR, ENTRY);
    first = MemoryFile.create("first page", PAGE);
    write(first, VECTOR * Integer.BYTES, (byte) 0, (byte) (HANDLER >> 8), (byte) 0, (byte) 0);
    write(first, START, PROGRAM);
    write(first, HANDLER, ON_INTERRUPT);
    vm.slots().map(LAST_PAGE, last.segment(), PAGE, last);
    vm.slots().map(0, first.segment(), PAGE, first);
    vcpu = vm.createVcpu(0);
    sleep();
    interrupted = vm.devices();
    irqfd = interrupted.connect(interrupt, GSI);
  }

  private static void write(MemoryFile file, int at, byte... bytes) {
    file.segment().asSlice(at).copyFrom(MemorySegment.ofArray(bytes));
  }

  /** Runs the guest until it writes to a port. */
  @Override
  public void sleep() throws VfioException {
    if (!vcpu.run() || kvm_run.exit_reason(vcpu.state()) != kvm_h.KVM_EXIT_IO) {
      throw new VfioException("KVM_RUN", vcpu.toString(), null, "it stopped, and wrote nothing");
    }
  }

  @Override
  public void close() throws VfioException {
    irqfd.close();
    interrupted.close();
    vm.close();
    first.close();
    last.close();
    kvm.close();
  }
}
