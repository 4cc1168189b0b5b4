package io.github.vfio4j.vmm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.board.Board;
import io.github.vfio4j.vmm.board.Orders;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.memory.GuestMemory;
import io.github.vfio4j.vmm.x86.PcBoard;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A virtual machine that runs Linux on KVM.
 *
 * <pre>{@code
 * try (VirtualMachine machine = VirtualMachine.boot(MachineSetup.of(Path.of("bzImage")))) {
 *   machine.await();
 * }
 * }</pre>
 *
 * <p>Each processor has a platform thread of its own. Thread-safe.
 */
public final class VirtualMachine implements AutoCloseable {
  /** How a machine has ended. */
  public enum Ending {
    /** The guest has turned it off. */
    POWERED_OFF,

    /** The guest has asked for a reset, or has failed so that a real machine would begin anew. */
    RESET,

    /** {@link VirtualMachine#stop} or {@link VirtualMachine#close} has ended it. */
    STOPPED
  }

  private final Kvm kvm;
  private final Vm vm;
  private final GuestMemory memory;
  private final Board board;
  private final Devices devices;
  private final List<ProcessorThread> processors = new ArrayList<>();
  private final CompletableFuture<Ending> ending;
  private boolean closed;

  private VirtualMachine(
      Kvm kvm,
      Vm vm,
      GuestMemory memory,
      Board board,
      Devices devices,
      CompletableFuture<Ending> ending) {
    this.kvm = kvm;
    this.vm = vm;
    this.memory = memory;
    this.board = board;
    this.devices = devices;
    this.ending = ending;
  }

  /**
   * Makes a machine and turns it on.
   *
   * @param setup what it has, and what it boots
   * @return the machine; the caller closes it
   * @throws VfioException if this user or this kernel cannot run one, or the kernel to be booted
   *     does not fit; nothing is left open then
   */
  public static VirtualMachine boot(MachineSetup setup) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Kvm kvm = rollback.make(Kvm::open, Kvm::close);
      GuestMemory memory = new GuestMemory();
      rollback.add(memory::close);
      Vm vm = rollback.make(kvm::createVm, Vm::close);
      CompletableFuture<Ending> ending = new CompletableFuture<>();
      Board board =
          new PcBoard(
              kvm,
              vm,
              memory,
              orders(ending),
              setup.processors(),
              setup.memory(),
              setup.kernel(),
              setup.initrdBytes(),
              setup.commandLine(),
              setup.console());
      board.prepare();
      for (Board.MemoryRange range : board.memory()) {
        memory.add(vm.slots(), range.address(), range.size());
      }
      Devices devices =
          rollback.make(
              () -> new Devices(vm, memory, board.pci(), setup.iommufd()), Devices::close);
      for (DeviceSetup device : setup.devices()) {
        devices.plug(device);
      }
      board.load();
      VirtualMachine machine = new VirtualMachine(kvm, vm, memory, board, devices, ending);
      for (int i = 0; i < setup.processors(); i++) {
        Vcpu vcpu = vm.createVcpu(i);
        board.prepare(vcpu);
        machine.processors.add(new ProcessorThread(vcpu, board, ending));
      }
      rollback.add(machine::stopProcessors);
      machine.processors.forEach(ProcessorThread::start);
      return rollback.done(machine);
    }
  }

  private static Orders orders(CompletableFuture<Ending> ending) {
    return new Orders() {
      @Override
      public void powerOff() {
        ending.complete(Ending.POWERED_OFF);
      }

      @Override
      public void reset() {
        ending.complete(Ending.RESET);
      }
    };
  }

  /**
   * Waits until the machine has ended, and all its processors have stopped.
   *
   * @return how
   * @throws VfioException if a processor could not go on, of which the exception says why
   * @throws InterruptedException if the thread is interrupted; the machine goes on
   */
  public Ending await() throws VfioException, InterruptedException {
    try {
      Ending reached = ending.get();
      stopProcessors();
      return reached;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof VfioException failure) {
        throw failure;
      }
      throw new VfioException("run", vm.toString(), null, String.valueOf(e.getCause()));
    }
  }

  /**
   * Gives the guest what somebody has typed on its console.
   *
   * @param typed the bytes
   * @throws VfioException if the guest cannot be told of it
   */
  public void type(byte... typed) throws VfioException {
    for (byte each : typed) {
      board.type(each);
    }
  }

  /**
   * Stops the machine as pulling its plug does. Does nothing if it has ended.
   *
   * @throws VfioException if a processor cannot be stopped
   */
  public void stop() throws VfioException {
    ending.complete(Ending.STOPPED);
    stopProcessors();
  }

  private void stopProcessors() throws VfioException {
    Closing closing = new Closing();
    for (ProcessorThread processor : processors) {
      closing.attempt(processor::stop);
    }
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return vm.toString();
  }

  /**
   * Stops the machine and gives all that it has back. Later calls do nothing.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    stop();
    Closing closing = new Closing();
    closing.attempt(devices::close);
    closing.attempt(vm::close);
    closing.attempt(memory::close);
    closing.attempt(kvm::close);
    closed = true;
    closing.rethrow();
  }
}
