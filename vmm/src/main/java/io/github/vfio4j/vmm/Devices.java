package io.github.vfio4j.vmm;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Group;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.kvm.KvmVfio;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.dirty.PageTables;
import io.github.vfio4j.vmm.dirty.WrittenPages;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.memory.GuestMemory;
import io.github.vfio4j.vmm.passthrough.AssignedDevice;
import io.github.vfio4j.vmm.passthrough.FixedBars;
import io.github.vfio4j.vmm.pci.PciHost;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The devices of a machine. Each is opened in the order that the kernel wants: first the guest's
 * memory is mapped for it, then KVM is told of its file, then the file is bound or its group's
 * device opened, so that it knows the machine from the start. Thread-safe.
 */
final class Devices implements AutoCloseable {
  private record Plugged(DeviceSetup setup, int slot, VfioDevice device, AssignedDevice function) {}

  private final Vm vm;
  private final GuestMemory memory;
  private final WrittenPages written;
  private final PciHost host;
  private final OptionalInt passedIommufd;
  private final HostRequests requests;

  /** Read without a lock by what the guest makes a device do. */
  private final List<Plugged> plugged = new CopyOnWriteArrayList<>();

  private final KvmVm kvm;
  private @Nullable KvmVfio files;
  private @Nullable Iommufd iommufd;
  private @Nullable PageTables tables;

  /** One for each group, so that a group is free again when its last device has gone. */
  private final Map<Integer, Container> containers = new HashMap<>();

  private boolean closed;

  Devices(Vm vm, GuestMemory memory, PciHost host, OptionalInt passedIommufd, HostRequests requests)
      throws VfioException {
    this.vm = vm;
    this.memory = memory;
    this.written = new WrittenPages(memory);
    this.host = host;
    this.passedIommufd = passedIommufd;
    this.requests = requests;
    this.kvm = vm.devices();
  }

  /**
   * Opens a device and puts it into a slot.
   *
   * @return the slot
   */
  synchronized int plug(DeviceSetup setup) throws VfioException {
    String name = setup.name();
    if (closed) {
      throw new VfioException("plug", name, null, "the machine has ended");
    }
    if (find(name) != null) {
      throw new VfioException("plug", name, null, "the machine has a device of this name");
    }
    int slot = setup.slot() == 0 ? host.freeSlot().orElse(0) : setup.slot();
    if (!host.isFree(slot)) {
      throw new VfioException(
          "plug", name, null, slot == 0 ? "no slot is free" : "slot " + slot + " is not free");
    }
    FixedBars fixed = new FixedBars(name, setup.fixedBars());
    fixed.requireWindows(host);
    try (Rollback rollback = new Rollback()) {
      VfioDevice device = open(setup.source(), rollback);
      rollback.add(() -> written.gone(device));
      written.came(device);
      AssignedDevice function =
          rollback.make(
              () ->
                  AssignedDevice.of(
                      device, vm, kvm, host, slot, setup.unmapped(), fixed, this::spacesOfOthers),
              AssignedDevice::close);
      requests.watch(name, device);
      Plugged made = new Plugged(setup, slot, device, function);
      rollback.add(() -> plugged.remove(made));
      plugged.add(made);
      rollback.add(() -> host.unplug(slot));
      host.plug(slot, function);
      plugged.forEach(each -> each.function.sharePeers());
      return rollback.done(slot);
    }
  }

  private @Nullable Plugged find(String name) {
    return plugged.stream().filter(each -> each.setup.name().equals(name)).findFirst().orElse(null);
  }

  private List<IoAddressSpace> spacesOfOthers(VfioDevice device) {
    return device.choice().backend() == Backend.MODEL
        ? List.of()
        : plugged.stream()
            .map(Plugged::device)
            .filter(other -> !other.equals(device))
            .filter(other -> other.choice().backend() != Backend.MODEL)
            .map(VfioDevice::addressSpace)
            .distinct()
            .toList();
  }

  private VfioDevice open(DeviceSetup.Source source, Rollback rollback) throws VfioException {
    return switch (source) {
      case DeviceSetup.Node(HostDevice device, Backend backend) ->
          backend == Backend.IOMMUFD
              ? bind(
                  rollback.make(() -> UnboundDevice.open(device), UnboundDevice::close), rollback)
              : openInGroup(device, rollback);
      case DeviceSetup.Descriptor(int fd) ->
          bind(rollback.make(() -> UnboundDevice.ofFd(fd), UnboundDevice::close), rollback);
      case DeviceSetup.Opened(DeviceSetup.Opening opening) -> {
        VfioDevice device = rollback.make(opening::open, VfioDevice::close);
        memory.share(device.addressSpace());
        rollback.add(() -> memory.forget(device.addressSpace()));
        yield device;
      }
    };
  }

  private VfioDevice bind(UnboundDevice node, Rollback rollback) throws VfioException {
    PageTables of = tables();
    files().add(node);
    rollback.add(of::closeUnused);
    CdevDevice device = rollback.make(() -> of.space().iommufd().bind(node), CdevDevice::close);
    of.attach(device);
    return device;
  }

  private VfioDevice openInGroup(HostDevice device, Rollback rollback) throws VfioException {
    int number =
        device
            .iommuGroup()
            .orElseThrow(
                () -> new VfioException("open", device.name(), null, "it has no IOMMU group"));
    Container known = containers.get(number);
    if (known != null) {
      return rollback.make(() -> known.openDevice(device), VfioDevice::close);
    }
    rollback.add(() -> closeUnusedContainer(number));
    Container made = Container.open();
    containers.put(number, made);
    Group group = made.group(number);
    memory.share(made); // which takes mappings from its group on
    files().add(group);
    return rollback.make(() -> made.openDevice(device), VfioDevice::close);
  }

  private PageTables tables() throws VfioException {
    if (tables == null) {
      try (Rollback rollback = new Rollback()) {
        Iommufd opened =
            rollback.make(
                () ->
                    passedIommufd.isPresent()
                        ? Iommufd.ofFd(passedIommufd.getAsInt())
                        : Iommufd.open(),
                Iommufd::close);
        Ioas space = opened.allocateIoas();
        memory.share(space);
        iommufd = opened;
        tables = rollback.done(new PageTables(space));
      }
    }
    return tables;
  }

  private KvmVfio files() throws VfioException {
    if (files == null) {
      files = kvm.createVfio();
    }
    return files;
  }

  /** Begins to note which pages of the guest's memory are written, by whomever, or ends that. */
  synchronized void setDirtyTracking(boolean on) throws VfioException {
    if (!on) {
      written.stop();
      return;
    }
    if (closed) {
      throw new VfioException("track dirty pages", vm.toString(), null, "the machine is closed");
    }
    written.start(plugged.stream().map(Plugged::device).toList());
  }

  /** Returns which pages were written since the last reading, or may have been. */
  synchronized List<DirtyBitmap> readAndClearDirty() throws VfioException {
    return written.readAndClear();
  }

  /** Resets all, while no processor runs. */
  synchronized void reset() throws VfioException {
    Closing closing = new Closing();
    for (Plugged each : plugged) {
      closing.attempt(each.function::reset);
    }
    closing.rethrow();
  }

  /** Lets the guest have all again, after a reset, when the board is ready for interrupts. */
  synchronized void restart() throws VfioException {
    Closing closing = new Closing();
    for (Plugged each : plugged) {
      closing.attempt(each.function::restart);
    }
    closing.rethrow();
  }

  List<String> names() {
    return plugged.stream().map(each -> each.setup.name()).toList();
  }

  /** Returns the slot of a device. */
  synchronized int slot(String name) throws VfioException {
    Plugged device = find(name);
    if (device == null) {
      throw new VfioException("unplug", name, null, "the machine has no device of this name");
    }
    return device.slot;
  }

  /** Returns the name of what is in a slot, empty for nothing. */
  synchronized String name(int slot) {
    return plugged.stream()
        .filter(each -> each.slot == slot)
        .map(each -> each.setup.name())
        .findFirst()
        .orElse("");
  }

  /** Closes a device, if the machine has it still. */
  synchronized void unplug(String name) throws VfioException {
    Plugged gone = find(name);
    if (gone != null) {
      Closing closing = new Closing();
      close(gone, closing);
      closing.rethrow();
    }
  }

  private void close(Plugged gone, Closing closing) {
    host.unplug(gone.slot);
    plugged.remove(gone); // before its address space is none any more
    closing.attempt(gone.function::close);
    if (gone.setup.source() instanceof DeviceSetup.Opened) {
      memory.forget(gone.device.addressSpace());
    }
    closing.attempt(gone.device::close);
    closing.attempt(() -> written.gone(gone.device));
    PageTables of = tables;
    if (of != null) {
      closing.attempt(of::closeUnused);
    }
    if (gone.setup.source() instanceof DeviceSetup.Node(HostDevice device, Backend backend)
        && backend == Backend.CONTAINER
        && device.iommuGroup().isPresent()) {
      int group = device.iommuGroup().getAsInt();
      closing.attempt(() -> closeUnusedContainer(group));
    }
  }

  private void closeUnusedContainer(int group) throws VfioException {
    Container unused = containers.get(group);
    if (unused != null
        && plugged.stream().noneMatch(each -> unused.equals(each.device.addressSpace()))) {
      memory.forget(unused);
      unused.close();
      containers.remove(group);
    }
  }

  /** Closes all, the last one first. */
  @Override
  public synchronized void close() throws VfioException {
    closed = true;
    Closing closing = new Closing();
    closing.attempt(written::stop);
    for (Plugged each : List.copyOf(plugged).reversed()) {
      close(each, closing);
    }
    Iommufd opened = iommufd;
    if (opened != null) {
      closing.attempt(opened::close);
    }
    closing.attempt(kvm::close);
    closing.rethrow();
  }
}
