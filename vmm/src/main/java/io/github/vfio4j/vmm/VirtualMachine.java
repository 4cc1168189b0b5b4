package io.github.vfio4j.vmm;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DirtyBitmap;
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
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
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

  private static final Logger LOGGER = System.getLogger(VirtualMachine.class.getName());

  /** How long a guest may take to let a device go that the host asks for. */
  private static final Duration PATIENCE_OF_HOST = Duration.ofSeconds(10);

  private final Kvm kvm;
  private final Vm vm;
  private final GuestMemory memory;
  private final Board board;
  private final HostRequests requests;
  private final Devices devices;
  private final List<Vcpu> vcpus;
  private final boolean endingOnReset;
  private final Thread thread = Thread.ofPlatform().daemon().unstarted(this::live);
  private final CompletableFuture<Ending> ending = new CompletableFuture<>();
  private final Departures<String> leavingDevices = new Departures<>();
  private final Departures<Board.MemoryRange> leavingMemory = new Departures<>();
  private final Map<Long, Board.MemoryRange> moreMemory = new ConcurrentHashMap<>();

  /** Guarded by this, as the next. */
  private PowerCycle cycle;

  private boolean stopping;
  private boolean closed;

  private VirtualMachine(
      Kvm kvm,
      Vm vm,
      GuestMemory memory,
      Board board,
      HostRequests requests,
      Devices devices,
      List<Vcpu> vcpus,
      boolean endingOnReset) {
    this.kvm = kvm;
    this.vm = vm;
    this.memory = memory;
    this.board = board;
    this.requests = requests;
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
      HostRequests requests =
          rollback.make(() -> HostRequests.start(orders::giveBack), HostRequests::close);
      Devices devices =
          rollback.make(
              () -> new Devices(vm, memory, board.pci(), setup.iommufd(), requests),
              Devices::close);
      for (DeviceSetup device : setup.devices()) {
        int slot = devices.plug(device);
        for (int i = 0; i < device.memoryNodes(); i++) {
          board.addMemoryNode(slot);
        }
      }
      board.load();
      List<Vcpu> vcpus = new ArrayList<>();
      for (int i = 0; i < setup.processors(); i++) {
        Vcpu vcpu = vm.createVcpu(i);
        board.prepare(vcpu);
        vcpus.add(vcpu);
      }
      VirtualMachine machine =
          new VirtualMachine(
              kvm, vm, memory, board, requests, devices, vcpus, setup.isEndingOnReset());
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

    @Override
    public void functionGone(int slot) {
      VirtualMachine of = machine;
      if (of != null) {
        of.takeDevice(of.devices.name(slot));
      }
    }

    @Override
    public void memoryGone(Board.MemoryRange range) {
      VirtualMachine of = machine;
      if (of != null) {
        of.takeMemory(range);
      }
    }

    private void giveBack(String device) {
      VirtualMachine of = machine;
      if (of != null) {
        of.giveBack(device);
      }
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
        takeWhatIsWantedBack(); // of which the guest that begins now does not know
        devices.restart();
        reached = next().run();
      }
      ending.complete(reached);
    } catch (ExecutionException e) {
      ending.completeExceptionally(e.getCause());
    } catch (Throwable e) {
      ending.completeExceptionally(e);
    } finally {
      leavingDevices.end();
      leavingMemory.end();
    }
  }

  /** Whoever waits for something need not ask the guest any more. */
  private void takeWhatIsWantedBack() {
    leavingDevices.awaited().forEach(this::takeDevice);
    leavingMemory.awaited().forEach(this::takeMemory);
  }

  /**
   * Has the guest let a device go that the host wants, or takes it away as if it were pulled out.
   */
  private void giveBack(String device) {
    try {
      try {
        unplug(device, PATIENCE_OF_HOST);
      } catch (DeviceTimeoutException e) {
        LOGGER.log(Level.WARNING, "the host takes a device from a guest that uses it", e);
        takeDevice(device);
      }
    } catch (VfioException | InterruptedException e) {
      LOGGER.log(Level.WARNING, "a device that the host wants is not given back", e);
    }
  }

  private void takeDevice(String name) {
    leavingDevices.gone(name, () -> devices.unplug(name));
  }

  private void takeMemory(Board.MemoryRange range) {
    leavingMemory.gone(
        range,
        () -> {
          if (moreMemory.remove(range.address(), range)) { // what was added, once
            try {
              memory.remove(range.address());
            } catch (Throwable e) {
              moreMemory.put(range.address(), range);
              throw e;
            }
            board.freePlace(range);
          }
        });
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

  /**
   * Returns what devices the machine has now.
   *
   * @return their names, in the order in which they came
   */
  public List<String> devices() {
    return devices.names();
  }

  /**
   * Puts a device into a slot while the guest runs, and tells the guest.
   *
   * @param device which one, and how
   * @throws VfioException if it cannot be opened, no slot is free, or the machine has one of its
   *     name; nothing is changed then
   */
  public void plug(DeviceSetup device) throws VfioException {
    requireRunning(device.name());
    try (Rollback rollback = new Rollback()) {
      int slot = devices.plug(device);
      rollback.add(() -> devices.unplug(device.name()));
      board.functionCame(slot);
      rollback.done(slot);
    }
  }

  /**
   * Asks the guest to let a device go, waits until it has, and closes the device.
   *
   * @param name the device's
   * @param patience how long
   * @throws DeviceTimeoutException if the guest has not let it go by then; where it does later, the
   *     device is closed all the same
   * @throws VfioException if there is no such device, or it cannot be closed
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  public void unplug(String name, Duration patience) throws VfioException, InterruptedException {
    requireRunning(name);
    int slot = devices.slot(name);
    leavingDevices.await(name, () -> board.wantFunctionBack(slot), patience);
  }

  /**
   * Gives the guest more memory while it runs, for its devices to reach too.
   *
   * @param bytes a multiple of 128 MiB
   * @return where the guest sees it
   * @throws VfioException if there is no place or no memory for it; nothing is changed then
   */
  public long addMemory(long bytes) throws VfioException {
    requireRunning("memory");
    try (Rollback rollback = new Rollback()) {
      Board.MemoryRange range = rollback.make(() -> board.takePlace(bytes), board::freePlace);
      memory.add(vm.slots(), range.address(), bytes);
      rollback.add(() -> takeMemory(range));
      moreMemory.put(range.address(), range);
      board.memoryCame(range);
      return rollback.done(range.address());
    }
  }

  /**
   * Asks the guest to let memory go that was added while it ran, waits until it has, and frees it.
   *
   * @param address where the guest sees it
   * @param patience how long
   * @throws IllegalArgumentException if none was added there
   * @throws DeviceTimeoutException if the guest has not let it go by then, as it cannot while it
   *     uses it for itself; where it does later, the memory is freed all the same
   * @throws VfioException if it cannot be freed
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  public void removeMemory(long address, Duration patience)
      throws VfioException, InterruptedException {
    requireRunning("memory");
    Board.MemoryRange range = moreMemory.get(address);
    if (range == null) {
      throw new IllegalArgumentException("no memory was added at 0x%x".formatted(address));
    }
    leavingMemory.await(range, () -> board.wantMemoryBack(range), patience);
  }

  /**
   * Switches on or off that it is noted which pages of the guest's memory are written: by its
   * processors, by this process, and by its devices, also those that are plugged later. Does
   * nothing where it is so already. It ends with the machine.
   *
   * <p>Of a device, that one is asked that knows best: its own log ({@link
   * io.github.vfio4j.migration.DmaLog}), the dirty bits of its IOMMU ({@link
   * io.github.vfio4j.iommufd.HwptPaging#setDirtyTracking}), its container ({@link
   * io.github.vfio4j.container.Container#setDirtyTracking}). Where none knows, as of models, it may
   * have written all memory, each time.
   *
   * @param on whether to note it
   * @throws VfioException if the kernel refuses, or the machine is closed; where switching on fails
   *     nothing is changed, where switching off does, it can be called again
   */
  public void setDirtyTracking(boolean on) throws VfioException {
    devices.setDirtyTracking(on);
  }

  /**
   * Returns which pages were written since the last reading, or since tracking began, and forgets
   * it. No write is missed; a page may be told that was not written: all of a device that nobody
   * knows more of, all memory that was added meanwhile, and all memory once after a device has
   * gone. If the guest runs, it writes on.
   *
   * @return a bitmap for each range of the guest's memory that there is now, by address: its IOVA
   *     is the guest's physical address, a bit stands for 4096 bytes
   * @throws IllegalStateException if dirty tracking is off
   * @throws VfioException if the kernel refuses; all pages are told at the next reading then
   */
  public List<DirtyBitmap> readAndClearDirty() throws VfioException {
    return devices.readAndClearDirty();
  }

  private void requireRunning(String object) throws VfioException {
    if (ending.isDone()) {
      throw new VfioException("ask the guest", object, null, "the machine has ended");
    }
  }

  /**
   * Stops the machine as pulling its plug does. Does nothing if it has ended. A processor that
   * writes to the console is waited for: a stream that nobody reads has to be closed first.
   */
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
    closing.attempt(requests::close);
    closing.attempt(vm::close);
    closing.attempt(memory::close);
    closing.attempt(kvm::close);
    closed = true;
    closing.rethrow();
  }
}
