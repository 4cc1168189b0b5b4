package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_irq_level;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A virtual machine of this process, as KVM keeps it. It owns what is made from it: processors and
 * memory slots. Thread-safe.
 */
public final class Vm implements AutoCloseable {
  private final Kernel kernel;
  private final Fd file;
  private final int runSize;
  private final MemorySlots slots = new MemorySlots(this);
  private final InterruptRoutes routes = new InterruptRoutes(this);
  private final Dependents dependents = new Dependents();

  Vm(Kernel kernel, Fd file, int runSize) {
    this.kernel = kernel;
    this.file = file;
    this.runSize = runSize;
  }

  /** Returns what gives the guest memory. */
  public MemorySlots slots() {
    return slots;
  }

  /** Returns where its interrupts go. */
  public InterruptRoutes routes() {
    return routes;
  }

  /** Returns the bytes of a page of this machine. */
  int pageSize() {
    return kernel.pageSize();
  }

  /** Returns it as what the library tells of devices and their interrupts; it ends before this. */
  public KvmVm devices() throws VfioException {
    int number = file.acquire();
    try {
      return KvmVm.ofFd(number);
    } finally {
      file.release();
    }
  }

  /** Issues an ioctl on the machine. */
  public void ask(Ioctl operation, MemorySegment request) throws VfioException {
    Answer.require(operation, toString(), file.ioctl(operation, request));
  }

  /** Issues an ioctl on the machine that takes a number. */
  public void ask(Ioctl operation, long argument) throws VfioException {
    Answer.require(operation, toString(), file.ioctl(operation, argument));
  }

  /** Makes the interrupt controllers, in the kernel; {@code KVM_CREATE_IRQCHIP}. */
  public void createInterruptControllers() throws VfioException {
    ask(Ioctl.KVM_CREATE_IRQCHIP, 0L);
  }

  /**
   * Makes a processor; {@code KVM_CREATE_VCPU}.
   *
   * @param id its number, from 0
   */
  public Vcpu createVcpu(int id) throws VfioException {
    String name = "processor " + id;
    try (Rollback rollback = new Rollback()) {
      Fd vcpu = new Fd(kernel, name);
      rollback.add(vcpu::close);
      int answer =
          file.call(fd -> vcpu.take(kernel.ioctl(fd, Ioctl.KVM_CREATE_VCPU.number(), (long) id)));
      Answer.require(Ioctl.KVM_CREATE_VCPU, name, answer);
      Pages run = new Pages(kernel);
      rollback.add(run::free);
      Answer.require(
          "mmap", name, vcpu.call(fd -> (int) Math.min(0, run.mapShared(runSize, fd))), "");
      Vcpu made = new Vcpu(this, kernel, id, vcpu, run);
      dependents.add(made, made::close);
      return rollback.done(made);
    }
  }

  /** Sets the level of an interrupt's line; {@code KVM_IRQ_LINE}. */
  public void setLine(int gsi, boolean asserted) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(kvm_irq_level.LAYOUT);
      kvm_irq_level.irq(request, gsi);
      kvm_irq_level.level(request, asserted ? 1 : 0);
      ask(Ioctl.KVM_IRQ_LINE, request);
    }
  }

  void forget(Vcpu closed) {
    dependents.remove(closed);
  }

  /** Closes the processors, whose threads have ended, takes the guest's memory away, and ends. */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    dependents.close(closing);
    slots.close(closing);
    closing.attempt(() -> Answer.require("close", toString(), file.close(), ""));
    closing.rethrow();
  }

  @Override
  public String toString() {
    return file.object();
  }
}
