package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.Backend;
import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.config.MsiCapability;
import io.github.vfio4j.config.MsixCapability;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.pci.PciFunction;
import io.github.vfio4j.vmm.pci.PciHost;
import io.github.vfio4j.vmm.pci.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A device in a slot of the guest's bus. Thread-safe; it is closed before the device is.
 *
 * <p>Its configuration space is the device's with some of its own in front: the registers that say
 * where the guest sees the BARs and how it is interrupted.
 */
public final class AssignedDevice implements PciFunction, AutoCloseable {
  private static final int INTERRUPT_PIN = 0x3d;
  private static final long SMALLEST_ROM = 0x800;

  private final VfioDevice device;

  /** Guards all that the guest can change of the function. */
  private final ConfigOverlay config;

  private final BarRegisters bars;
  private final List<InterruptKind> interrupts = new ArrayList<>();
  private final Optional<Msix> msix;
  private final List<ResetBit> resets;

  private AssignedDevice(
      VfioDevice device, ConfigImage image, Vm vm, KvmVm kvm, PciHost host, int slot)
      throws VfioException {
    this.device = device;
    this.config = new ConfigOverlay(device.pci().config().region());
    this.bars = new BarRegisters(config);
    this.resets = ResetBit.of(image);
    VisibleConfig.apply(config, image);
    Optional<MsixCapability> table = image.find(MsixCapability.class);
    if (table.isPresent() && device.pci().msix().count() > 0) {
      Msix kind = new Msix(config, table.get(), device.pci().msix(), kvm, vm.routes());
      msix = Optional.of(kind);
      interrupts.add(kind);
    } else {
      msix = Optional.empty();
    }
    Optional<MsiCapability> messages = image.find(MsiCapability.class);
    if (messages.isPresent() && device.pci().msi().count() > 0) {
      interrupts.add(new Msi(config, messages.get(), device.pci().msi(), kvm, vm.routes()));
    }
    IrqIndex line = device.pci().intx();
    // a model's line cannot be unmasked by the kernel
    if (line.count() > 0 && device.choice().backend() != Backend.MODEL) {
      interrupts.add(new Intx(line, kvm, host.gsi(slot, image.header().interruptPin())));
    } else {
      config.fix(INTERRUPT_PIN, Byte.BYTES, 0xff, 0);
    }
  }

  /**
   * Makes a device a function of a guest's bus, where it is not yet.
   *
   * @param slot where it will be
   * @param unmapped numbers of BARs whose every access is to come here
   * @param fixed BARs that are somewhere before the guest puts them anywhere
   * @param peers knows the others of the guest
   */
  public static AssignedDevice of(
      VfioDevice device,
      Vm vm,
      KvmVm kvm,
      PciHost host,
      int slot,
      Set<Integer> unmapped,
      FixedBars fixed,
      Peers peers)
      throws VfioException {
    device.pci().config().setMemoryEnabled(true);
    ConfigImage image = ConfigImage.of(device);
    AssignedDevice made = new AssignedDevice(device, image, vm, kvm, host, slot);
    try (Rollback rollback = new Rollback()) {
      rollback.add(made::close);
      fixed.requireAmong(made.barNumbers(image));
      made.addBars(image, vm, host, unmapped, fixed, peers);
      made.refresh();
      return rollback.done(made);
    }
  }

  private Set<Integer> barNumbers(ConfigImage image) throws VfioException {
    Set<Integer> numbers = new TreeSet<>();
    for (BaseAddress each : image.header().baseAddresses()) {
      if (device.pci().bar(each.number()).size() > 0) {
        numbers.add(each.number());
      }
    }
    return numbers;
  }

  private void addBars(
      ConfigImage image, Vm vm, PciHost host, Set<Integer> unmapped, FixedBars fixed, Peers peers)
      throws VfioException {
    for (BaseAddress each : image.header().baseAddresses()) {
      int number = each.number();
      Region region = device.pci().bar(number);
      if (region.size() > 0) {
        boolean ports = each.kind() == BaseAddress.Kind.IO;
        long size = powerOfTwo(region.size());
        Windows windows = ports ? host.portWindows() : host.memoryWindows();
        Bar bar = new Bar(number, region, size, windows, vm.slots(), msix.orElse(null));
        bars.add(each, size, fixed.take(each, size, windows, bar), bar);
        if (!ports && !unmapped.contains(number)) {
          List<MappableParts.Part> parts =
              MappableParts.of(number, region.info(), image.find(MsixCapability.class));
          bar.map(parts, new PeerAccess(device, number, parts, peers));
        }
      }
    }
    Region rom = device.pci().rom();
    if (rom.size() > 0) {
      long size = Math.max(SMALLEST_ROM, powerOfTwo(rom.size()));
      bars.addRom(
          size, new Bar(rom.info().index(), rom, size, host.memoryWindows(), vm.slots(), null));
    }
  }

  private static long powerOfTwo(long size) {
    return Math.max(Long.highestOneBit(size), Long.highestOneBit(2 * size - 1));
  }

  @Override
  public int read(int at, int width) throws VfioException {
    synchronized (config) {
      return config.isClosed() ? -1 : config.read(at, width);
    }
  }

  @Override
  public void write(int at, int width, int value) throws VfioException {
    synchronized (config) {
      if (config.isClosed()) {
        return;
      }
      config.write(at, width, value);
      refresh();
      if (resets.stream().anyMatch(each -> each.isWritten(at, width, value))) {
        bars.restorePeers();
      }
    }
  }

  /** Lets devices that have come since reach this one. */
  public void sharePeers() {
    synchronized (config) {
      if (!config.isClosed()) {
        bars.sharePeers();
      }
    }
  }

  /** Does what the registers say now. */
  private void refresh() throws VfioException {
    bars.follow();
    InterruptKind chosen = null;
    for (InterruptKind each : interrupts) {
      if (chosen == null && each.isChosen()) {
        chosen = each;
      } else {
        each.stop();
      }
    }
    if (chosen != null) {
      chosen.refresh();
    }
  }

  /**
   * Makes the device and its registers what they were at first; nothing of it reaches the guest
   * until {@link #restart}. One that cannot be reset stays as it is, and does no DMA until its
   * driver wants it to.
   */
  public void reset() throws VfioException {
    synchronized (config) {
      ConfigSpace real = device.pci().config();
      real.setBusMaster(false);
      config.reset();
      msix.ifPresent(Msix::reset);
      for (InterruptKind each : interrupts) {
        each.stop();
      }
      if (device.info().resettable()) {
        device.reset();
        real.setMemoryEnabled(true);
      }
      bars.follow();
    }
  }

  /** Lets the guest have the device again, whose interrupt controllers are ready by now. */
  public void restart() throws VfioException {
    synchronized (config) {
      if (!config.isClosed()) {
        refresh();
      }
    }
  }

  @Override
  public void close() throws VfioException {
    synchronized (config) {
      config.close();
      Closing closing = new Closing();
      for (InterruptKind each : interrupts) {
        closing.attempt(each::stop);
      }
      bars.close(closing);
      closing.rethrow();
    }
  }

  @Override
  public String toString() {
    return device.name();
  }
}
