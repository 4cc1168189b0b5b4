package io.github.vfio4j.vmm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.outcome.ThreadEnd;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import io.github.vfio4j.vmm.board.Board;
import io.github.vfio4j.vmm.kvm.Vcpu;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;

/** The thread that runs a processor, and deals with what it stops for, until the machine ends. */
final class ProcessorThread {
  private final Vcpu vcpu;
  private final Board board;
  private final CompletableFuture<Ending> ending;
  private final Thread thread;

  /** Whether the processor does again what KVM has refused. */
  private boolean repeated;

  ProcessorThread(Vcpu vcpu, Board board, CompletableFuture<Ending> ending) {
    this.vcpu = vcpu;
    this.board = board;
    this.ending = ending;
    this.thread = Thread.ofPlatform().daemon().name(vcpu.toString()).unstarted(this::run);
  }

  void start() {
    vcpu.calm();
    thread.start();
  }

  /** Takes the processor out of the guest, and waits until its thread has ended. */
  void stop() throws VfioException {
    vcpu.kick();
    ThreadEnd.await(thread);
  }

  private void run() {
    try {
      vcpu.enter();
      try {
        while (!ending.isDone()) {
          if (vcpu.run()) {
            stopped();
          }
        }
        finishAccess();
      } finally {
        vcpu.leave();
      }
    } catch (Throwable e) {
      ending.completeExceptionally(e);
    }
  }

  /**
   * Lets the kernel end an instruction that has stopped for an access: it would do so at the next
   * run, to a processor that may have been reset by then.
   */
  private void finishAccess() throws VfioException {
    vcpu.kick();
    while (vcpu.run()) {
      stopped();
    }
  }

  private void stopped() throws VfioException {
    MemorySegment state = vcpu.state();
    int reason = kvm_run.exit_reason(state);
    if (reason != kvm_h.KVM_EXIT_INTERNAL_ERROR) {
      repeated = false;
    }
    switch (reason) {
      case kvm_h.KVM_EXIT_MMIO -> access(kvm_run.mmio(state));
      case kvm_h.KVM_EXIT_SHUTDOWN -> ending.complete(Ending.RESET);
      case kvm_h.KVM_EXIT_SYSTEM_EVENT -> ending.complete(asked(kvm_run.system_event(state)));
      case kvm_h.KVM_EXIT_FAIL_ENTRY ->
          throw failure(
              "the processor does not take the guest, reason 0x%x"
                  .formatted(
                      kvm_run.fail_entry.hardware_entry_failure_reason(kvm_run.fail_entry(state))));
      case kvm_h.KVM_EXIT_INTERNAL_ERROR ->
          error(kvm_run.internal.suberror(kvm_run.internal(state)));
      default -> {
        if (!board.stopped(vcpu, reason)) {
          throw failure("it stopped for reason " + Integer.toUnsignedString(reason));
        }
      }
    }
  }

  /**
   * An access that is no memory's, while an event is delivered, is an error, and stays one when it
   * is done again. But a processor that QEMU emulates keeps the kind of the last event that it has
   * delivered, which KVM takes for one that it delivers: then it is none the next time.
   */
  private void error(int number) throws VfioException {
    if (number != kvm_h.KVM_INTERNAL_ERROR_DELIVERY_EV || repeated) {
      throw failure("KVM cannot go on, error " + number);
    }
    repeated = true;
  }

  private VfioException failure(String why) {
    return new VfioException("KVM_RUN", vcpu.toString(), null, why);
  }

  private static Ending asked(MemorySegment event) {
    return kvm_run.system_event.type(event) == kvm_h.KVM_SYSTEM_EVENT_SHUTDOWN
        ? Ending.POWERED_OFF
        : Ending.RESET;
  }

  /** Does what the guest has done at an address that is no memory. */
  private void access(MemorySegment mmio) {
    long address = kvm_run.mmio.phys_addr(mmio);
    int width = Math.min(kvm_run.mmio.len(mmio), Long.BYTES);
    MemorySegment data = kvm_run.mmio.data(mmio);
    boolean write = kvm_run.mmio.is_write(mmio) != 0;
    if (Integer.bitCount(width) == 1) {
      access(address, data, 0, width, write);
    } else { // one that ends with its page, of which the rest comes next
      for (int i = 0; i < width; i++) {
        access(address + i, data, i, 1, write);
      }
    }
  }

  private void access(long address, MemorySegment data, int at, int width, boolean write) {
    if (!write) {
      long value = board.addresses().read(address, width);
      for (int i = 0; i < width; i++) {
        data.set(JAVA_BYTE, at + i, (byte) (value >>> (i * Byte.SIZE)));
      }
      return;
    }
    long value = 0;
    for (int i = width - 1; i >= 0; i--) {
      value = value << Byte.SIZE | Byte.toUnsignedLong(data.get(JAVA_BYTE, at + i));
    }
    board.addresses().write(address, width, value);
  }
}
