package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.lang.foreign.MemorySegment;

/** The kernel's virtualization, by its file {@code /dev/kvm}. Thread-safe. */
public final class Kvm implements AutoCloseable {
  private static final String NODE = "/dev/kvm";
  private static final int O_RDWR_CLOEXEC = 0x80002;

  private final Kernel kernel;
  private final Fd file;

  private Kvm(Kernel kernel, Fd file) {
    this.kernel = kernel;
    this.file = file;
  }

  /**
   * Opens it.
   *
   * @throws VfioException if there is none, this user may not use it, or it is not of the one
   *     version that is stable
   */
  public static Kvm open() throws VfioException {
    Kernel kernel = RunningKernel.get();
    try (Rollback rollback = new Rollback()) {
      Fd file = new Fd(kernel, NODE);
      rollback.add(file::close);
      int answer = file.take(kernel.open(NODE, O_RDWR_CLOEXEC));
      if (answer < 0) {
        throw Answer.failure("open", NODE, answer, whyNot(answer));
      }
      Kvm kvm = new Kvm(kernel, file);
      int version = kvm.ask(Ioctl.KVM_GET_API_VERSION, 0);
      if (version != kvm_h.KVM_API_VERSION) {
        throw Answer.impossible(
            Ioctl.KVM_GET_API_VERSION, NODE, "version %d, not 12".formatted(version));
      }
      return rollback.done(kvm);
    }
  }

  private static String whyNot(int answer) {
    if (Answer.is(answer, Errno.ENOENT) || Answer.is(answer, Errno.ENODEV)) {
      return "this kernel or this processor has no virtualization (or its module is not loaded:"
          + " kvm_intel, kvm_amd)";
    }
    return Answer.is(answer, Errno.EACCES)
        ? "this user may not run virtual machines: mostly the group kvm may"
        : "";
  }

  /** Returns what the kernel says of a capability: 0 where it has not got it. */
  public int check(int capability) throws VfioException {
    return ask(Ioctl.KVM_CHECK_EXTENSION, capability);
  }

  /**
   * Requires a capability.
   *
   * @param name as the kernel names it
   */
  public void require(int capability, String name) throws VfioException {
    if (check(capability) <= 0) {
      throw new UnsupportedByKernelException(
          Ioctl.KVM_CHECK_EXTENSION.name(), NODE, null, "this kernel has no " + name);
    }
  }

  /** Makes a virtual machine of the usual type, without memory and processors. */
  public Vm createVm() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd machine = new Fd(kernel, "virtual machine");
      rollback.add(machine::close);
      int answer = file.call(fd -> machine.take(kernel.ioctl(fd, kvm_h.KVM_CREATE_VM, 0L)));
      Answer.require(Ioctl.KVM_CREATE_VM, NODE, answer);
      int runSize = ask(Ioctl.KVM_GET_VCPU_MMAP_SIZE, 0);
      if (runSize < kvm_run.LAYOUT.byteSize()) {
        throw Answer.impossible(
            Ioctl.KVM_GET_VCPU_MMAP_SIZE, NODE, "%d bytes for a processor".formatted(runSize));
      }
      return rollback.done(new Vm(kernel, machine, runSize));
    }
  }

  /**
   * Fills in a structure whose last part is an array of what there is, such as {@code
   * KVM_GET_SUPPORTED_CPUID}.
   */
  public void fill(Ioctl operation, MemorySegment request) throws VfioException {
    Answer.require(operation, NODE, file.ioctl(operation, request));
  }

  private int ask(Ioctl operation, long argument) throws VfioException {
    return Answer.require(operation, NODE, file.ioctl(operation, argument));
  }

  @Override
  public void close() throws VfioException {
    Answer.require("close", NODE, file.close(), "");
  }

  @Override
  public String toString() {
    return NODE;
  }
}
