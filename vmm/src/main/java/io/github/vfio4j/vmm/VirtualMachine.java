package io.github.vfio4j.vmm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.ThreadEnd;
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
import org.jspecify.annotations.Nullable;

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
  private final List<Vcpu> vcpus;
  private final boolean endingOnReset;
  private final Thread thread = Thread.ofPlatform().daemon().unstarted(this::live);
  private final CompletableFuture<Ending> ending = new CompletableFuture<>();

  /** Guarded by this, as the next. */
  private PowerCycle cycle;

  private boolean stopping;
  private boolean closed;

  private VirtualMachine(
      Kvm kvm,
      Vm vm,
      GuestMemory memory,
      Board board,
      Devices devices,
      List<Vcpu> vcpus,
      boolean endingOnReset) {
    this.kvm = kvm;
    this.vm = vm;
    this.memory = memory;
    this.board = board;
    this.devices = devices;
    this.vcpus = vcpus;
    this.endingOnReset = endingOnReset;
    this.cycle = new PowerCycle(vcpus, board);
    thread.setName(vm.toString());
  }

  /**
   * Makes a machine and turns it on.
   *
   * @param setup what it has, and what it boots
   * @return the machine; the caller closes it
   * @throws VfioException if this user or this kernel cannot run one, the kernel to be booted does
   *     not fit, or a device cannot be opened; nothing is left open then
   */
  public static VirtualMachine boot(MachineSetup setup) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Kvm kvm = rollback.make(Kvm::open, Kvm::close);
      GuestMemory memory = new GuestMemory();
      rollback.add(memory::close);
      Vm vm = rollback.make(kvm::createVm, Vm::close);
      GuestOrders orders = new GuestOrders();
      Board board =
          new PcBoard(
              kvm,
              vm,
              memory,
              orders,
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
      List<Vcpu> vcpus = new ArrayList<>();
      for (int i = 0; i < setup.processors(); i++) {
        Vcpu vcpu = vm.createVcpu(i);
        board.prepare(vcpu);
        vcpus.add(vcpu);
      }
      VirtualMachine machine =
          new VirtualMachine(kvm, vm, memory, board, devices, vcpus, setup.isEndingOnReset());
      orders.machine = machine;
      machine.thread.start();
      return rollback.done(machine);
    }
  }

  /** What the guest asks for, once there is a machine that runs it. */
  private static final class GuestOrders implements Orders {
    private volatile @Nullable VirtualMachine machine;

    @Override
    public void powerOff() {
      end(Ending.POWERED_OFF);
    }

    @Override
    public void reset() {
      end(Ending.RESET);
    }

    private void end(Ending wanted) {
      VirtualMachine ended = machine;
      if (ended != null) {
        ended.end(wanted);
      }
    }
  }

  private synchronized void end(Ending wanted) {
    cycle.end(wanted);
  }

  /** From power-on to the end, by way of resets. */
  private void live() {
    try {
      Ending reached = cycle().run();
      while (reached == Ending.RESET && !endingOnReset) {
        devices.reset();
        board.reset();
        reached = next().run();
      }
      ending.complete(reached);
    } catch (ExecutionException e) {
      ending.completeExceptionally(e.getCause());
    } catch (Throwable e) {
      ending.completeExceptionally(e);
    }
  }

  private synchronized PowerCycle cycle() {
    return cycle;
  }

  private synchronized PowerCycle next() {
    cycle = new PowerCycle(vcpus, board);
    if (stopping) {
      cycle.end(Ending.STOPPED);
    }
    return cycle;
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
      return ending.get();
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

  /** Stops the machine as pulling its plug does. Does nothing if it has ended. */
  public void stop() {
    synchronized (this) {
      stopping = true;
      cycle.end(Ending.STOPPED);
    }
    ThreadEnd.await(thread);
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
  public void close() throws VfioException {
    stop();
    closeAll();
  }

  private synchronized void closeAll() throws VfioException {
    if (closed) {
      return;
    }
    Closing closing = new Closing();
    closing.attempt(devices::close);
    closing.attempt(vm::close);
    closing.attempt(memory::close);
    closing.attempt(kvm::close);
    closed = true;
    closing.rethrow();
  }
}
