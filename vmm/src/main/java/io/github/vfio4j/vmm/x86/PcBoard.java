package io.github.vfio4j.vmm.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.bindings.x86.kvm_pit_config;
import io.github.vfio4j.bindings.x86.kvm_x86_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.vmm.board.Board;
import io.github.vfio4j.vmm.board.Orders;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.memory.GuestMemory;
import io.github.vfio4j.vmm.pci.PciHost;
import io.github.vfio4j.vmm.pci.Windows;
import io.github.vfio4j.vmm.pci.Windows.Window;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A PC: interrupt controllers and a timer that the kernel emulates, a serial port, and the ports
 * that turn it off.
 */
public final class PcBoard implements Board {
  private static final int SERIAL_PORT = 0x3f8;
  private static final int SERIAL_INTERRUPT = 4;
  private static final int PCI_PORT = 0xcf8;
  private static final int PIC_PINS = 8;
  private static final int IO_APIC_PINS = 24;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Kvm kvm;
  private final Vm vm;
  private final GuestMemory memory;
  private final int processorCount;
  private final long low;
  private final long high;
  private final LinuxBoot boot;
  private final Processors processors;
  private final Serial serial;
  private final PciHost pci;
  private final GeneralEvents events;
  private final Hotplug slots;
  private final Hotplug moduleEvents;
  private final List<Integer> initiators = new ArrayList<>();
  private final MemoryModules modules;
  private final PowerPorts power;
  private final List<ProcessorState> atPowerOn = new ArrayList<>();
  private @Nullable ChipState chipsAtPowerOn;
  private final AddressMap addresses = new AddressMap();
  private final AddressMap ports = new AddressMap();

  /**
   * Puts a board together.
   *
   * @param size bytes of memory, whole pages
   * @param kernel a bzImage or a vmlinux
   * @param initrd its initial file system, or nothing
   * @throws VfioException if the kernel is none, or has no room
   */
  public PcBoard(
      Kvm kvm,
      Vm vm,
      GuestMemory memory,
      Orders orders,
      int processorCount,
      long size,
      Path kernel,
      byte[] initrd,
      String commandLine,
      OutputStream console)
      throws VfioException {
    this.kvm = kvm;
    this.vm = vm;
    this.memory = memory;
    this.processorCount = processorCount;
    this.low = Math.min(size, Layout.HOLE);
    this.high = size - low;
    if (high > Layout.PCI_HIGH_MEMORY - Layout.FOUR_GIB) {
      throw new VfioException(
          "boot",
          kernel.toString(),
          null,
          "a PC here has %d GiB of memory at most".formatted(Layout.PCI_HIGH_MEMORY >>> 30));
    }
    this.boot = new LinuxBoot(KernelImage.read(kernel), initrd, commandLine, low, high);
    this.processors = new Processors(kvm);
    this.serial = new Serial(console, asserted -> vm.setLine(SERIAL_INTERRUPT, asserted));
    this.pci =
        new PciHost(
            new Windows(
                addresses,
                List.of(
                    new Window(Layout.PCI_MEMORY, Layout.ECAM - 1),
                    new Window(Layout.PCI_HIGH_MEMORY, Layout.PCI_HIGH_MEMORY_END - 1))),
            new Windows(ports, List.of(new Window(Layout.PCI_PORTS, Layout.LAST_PORT))),
            Layout.PCI_GSI);
    addresses.add(Layout.ECAM, PciHost.ECAM_SIZE, pci.ecam());
    ports.add(PCI_PORT, PciHost.PORTS, pci.configPorts());
    this.power = new PowerPorts(orders);
    ports.add(SERIAL_PORT, Serial.SIZE, serial);
    this.events = new GeneralEvents(asserted -> vm.setLine(AcpiTables.SCI, asserted));
    this.slots = new Hotplug(events, HotplugNamespace.PCI_EVENT, orders::functionGone);
    this.modules = new MemoryModules(Layout.FOUR_GIB + high, Layout.PCI_HIGH_MEMORY - 1);
    this.moduleEvents =
        new Hotplug(
            events,
            HotplugNamespace.MEMORY_EVENT,
            index -> {
              MemoryRange range = modules.at(index);
              if (range != null) {
                orders.memoryGone(range);
              }
            });
    ports.add(Layout.EVENTS_PORT, GeneralEvents.SIZE, events);
    ports.add(Layout.PCI_HOTPLUG_PORT, Hotplug.SIZE, slots);
    ports.add(Layout.MEMORY_HOTPLUG_PORT, Hotplug.SIZE, moduleEvents);
    ports.add(Layout.MEMORY_MODULES_PORT, MemoryModules.SIZE, modules);
    ports.add(PowerPorts.EVENT_PORT, 4, power.events());
    ports.add(PowerPorts.CONTROL_PORT, 2, power.control());
    ports.add(PowerPorts.TIMER_PORT, 4, power.timer());
    ports.add(PowerPorts.RESET_PORT, 1, power.resetPort());
    ports.add(PowerPorts.KEYBOARD_PORT, 1, power.keyboard());
  }

  @Override
  public List<MemoryRange> memory() {
    List<MemoryRange> ranges = new ArrayList<>();
    ranges.add(new MemoryRange(0, low));
    if (high > 0) {
      ranges.add(new MemoryRange(Layout.FOUR_GIB, high));
    }
    return ranges;
  }

  /**
   * KVM's own choice is what the host first took its processors' clock for. Where it has measured
   * it better since, and they cannot scale it, KVM takes the guest's clock for 0 for ever, and
   * timers of the guest go off as much too late as the host has been up.
   */
  private void letTimeStampsBeTheHosts() throws VfioException {
    vm.ask(Ioctl.KVM_SET_TSC_KHZ, 0L);
  }

  @Override
  public void prepare() throws VfioException {
    addPins();
    kvm.require(kvm_h.KVM_CAP_IRQCHIP, "interrupt controllers for guests");
    letTimeStampsBeTheHosts();
    vm.ask(Ioctl.KVM_SET_TSS_ADDR, Layout.TSS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment identity = arena.allocateFrom(ValueLayout.JAVA_LONG, Layout.IDENTITY_MAP);
      vm.ask(Ioctl.KVM_SET_IDENTITY_MAP_ADDR, identity);
      vm.createInterruptControllers();
      MemorySegment timer = arena.allocate(kvm_pit_config.LAYOUT);
      kvm_pit_config.flags(timer, kvm_x86_h.KVM_PIT_SPEAKER_DUMMY);
      vm.ask(Ioctl.KVM_CREATE_PIT2, timer);
    }
    chipsAtPowerOn = new ChipState(vm);
  }

  /** The pins of the older controllers, and of the newer one: 0 to 15 go to both. */
  private void addPins() {
    for (int gsi = 0; gsi < IO_APIC_PINS; gsi++) {
      if (gsi < 2 * PIC_PINS) {
        boolean first = gsi < PIC_PINS;
        int chip = first ? kvm_x86_h.KVM_IRQCHIP_PIC_MASTER : kvm_x86_h.KVM_IRQCHIP_PIC_SLAVE;
        vm.routes().addPin(gsi, chip, gsi % PIC_PINS);
      }
      vm.routes().addPin(gsi, kvm_x86_h.KVM_IRQCHIP_IOAPIC, gsi);
    }
  }

  @Override
  public void prepare(Vcpu vcpu) throws VfioException {
    processors.setFeatures(vcpu);
    processors.prepare(vcpu);
    if (vcpu.id() == 0) {
      processors.enter(vcpu, boot.entry());
    }
    atPowerOn.add(new ProcessorState(kvm, vcpu));
  }

  @Override
  public void reset() throws VfioException {
    serial.reset();
    power.reset();
    events.reset();
    slots.reset();
    moduleEvents.reset();
    if (chipsAtPowerOn != null) {
      chipsAtPowerOn.restore();
    }
    for (ProcessorState processor : atPowerOn) {
      processor.restore();
    }
    load();
  }

  @Override
  public void addMemoryNode(int slot) {
    initiators.add(slot);
  }

  @Override
  public void load() {
    boot.load(memory, AcpiTables.of(Layout.ACPI, processorCount, pci, memory(), initiators));
  }

  @Override
  public AddressMap addresses() {
    return addresses;
  }

  @Override
  public PciHost pci() {
    return pci;
  }

  @Override
  public void functionCame(int slot) throws VfioException {
    slots.came(slot);
  }

  @Override
  public void wantFunctionBack(int slot) throws VfioException {
    slots.wantBack(slot);
  }

  @Override
  public MemoryRange takePlace(long size) throws VfioException {
    return modules.take(size);
  }

  @Override
  public void freePlace(MemoryRange range) {
    modules.free(range);
  }

  @Override
  public void memoryCame(MemoryRange range) throws VfioException {
    moduleEvents.came(modules.index(range.address()));
  }

  @Override
  public void wantMemoryBack(MemoryRange range) throws VfioException {
    moduleEvents.wantBack(modules.index(range.address()));
  }

  @Override
  public boolean stopped(Vcpu vcpu, int reason) {
    if (reason != kvm_h.KVM_EXIT_IO) {
      return false;
    }
    MemorySegment state = vcpu.state();
    MemorySegment io = kvm_run.io(state);
    int width = kvm_run.io.size(io);
    int port = Short.toUnsignedInt(kvm_run.io.port(io));
    long at = kvm_run.io.data_offset(io);
    boolean out = kvm_run.io.direction(io) == kvm_h.KVM_EXIT_IO_OUT;
    for (int i = 0; i < kvm_run.io.count(io); i++, at += width) {
      if (out) {
        ports.write(port, width, get(state, at, width));
      } else {
        set(state, at, width, ports.read(port, width));
      }
    }
    return true;
  }

  private static long get(MemorySegment state, long at, int width) {
    return switch (width) {
      case 1 -> Byte.toUnsignedLong(state.get(JAVA_BYTE, at));
      case 2 -> Short.toUnsignedLong(state.get(SHORT, at));
      default -> Integer.toUnsignedLong(state.get(INT, at));
    };
  }

  private static void set(MemorySegment state, long at, int width, long value) {
    switch (width) {
      case 1 -> state.set(JAVA_BYTE, at, (byte) value);
      case 2 -> state.set(SHORT, at, (short) value);
      default -> state.set(INT, at, (int) value);
    }
  }

  @Override
  public void type(byte typed) throws VfioException {
    serial.type(typed);
  }
}
