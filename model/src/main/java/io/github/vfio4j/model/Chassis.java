package io.github.vfio4j.model;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Closing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The machine around one model: it hands accesses of the driver on to the model, and DMA and
 * interrupts of the model to the driver.
 *
 * <p>The model is called with the monitor of this object held, so one call at a time. DMA takes the
 * lock of the address space within it; the driver's maps and unmaps never call a model.
 */
final class Chassis implements Bus {
  private static final long ALL_ONES = -1;

  private final String name;
  private final DeviceModel model;
  private final PciLayout layout;
  private final PciConfig config;
  private final Faults faults = new Faults();
  private final Irqs irqs;
  private final Map<Integer, BarMemory> memories = new TreeMap<>();
  private final List<DmaFault> dmaFaults = new ArrayList<>();
  private final LateWork lateWork = new LateWork();
  private volatile @Nullable Iommu iommu;
  private volatile @Nullable Throwable lastCall;

  Chassis(Kernel kernel, String name, DeviceModel model) throws VfioException {
    this.name = name;
    this.model = model;
    this.layout = model.layout();
    this.config = new PciConfig(layout);
    this.irqs = new Irqs(kernel, faults, layout);
    for (Map.Entry<Integer, Bar> bar : layout.bars().entrySet()) {
      if (bar.getValue().registers().isEmpty()) {
        String object = "BAR " + bar.getKey() + " of " + name;
        memories.put(bar.getKey(), BarMemory.of(kernel, object, bar.getValue().size()));
      }
    }
    model.plugIn(this);
  }

  String name() {
    return name;
  }

  PciLayout layout() {
    return layout;
  }

  Faults faults() {
    return faults;
  }

  Irqs irqs() {
    return irqs;
  }

  @Nullable BarMemory memory(int bar) {
    return memories.get(bar);
  }

  List<DmaFault> dmaFaults() {
    synchronized (dmaFaults) {
      return List.copyOf(dmaFaults);
    }
  }

  /** Does the device's DMA in an address space from now on. */
  void attach(Iommu space) {
    iommu = space;
  }

  /** Ends DMA and interrupts, as VFIO does when the device is closed: it is reset. */
  void release() {
    lateWork.finish();
    iommu = null;
    irqs.disableAll();
    synchronized (this) {
      config.powerOn();
      model.reset();
    }
  }

  void close(Closing closing) {
    lateWork.close();
    memories.values().forEach(memory -> memory.close(closing));
  }

  /** Notes where the driver is, for DMA that goes wrong because of it. */
  void noteCall() {
    lastCall = new Throwable();
  }

  long regionSize(int index) {
    return switch (index) {
      case vfio_h.VFIO_PCI_ROM_REGION_INDEX -> config.romSize();
      case vfio_h.VFIO_PCI_CONFIG_REGION_INDEX -> config.size();
      default -> layout.bars().containsKey(index) ? bar(index).size() : 0;
    };
  }

  private Bar bar(int index) {
    Bar bar = layout.bars().get(index);
    if (bar == null) {
      throw new IllegalArgumentException(name + " has no BAR " + index);
    }
    return bar;
  }

  /** Returns whether accesses to a region fail because the device does not answer them. */
  synchronized boolean isOff(int index) {
    return index < vfio_h.VFIO_PCI_ROM_REGION_INDEX && !faults.gone() && !config.isMemoryEnabled();
  }

  /** Reads from a region; the access is aligned and inside. */
  synchronized long read(int index, long at, int width) {
    noteCall();
    if (faults.gone()) {
      return ALL_ONES;
    }
    if (isOff(index)) {
      return 0;
    }
    return switch (index) {
      case vfio_h.VFIO_PCI_CONFIG_REGION_INDEX -> join(width, i -> config.read((int) at + i));
      case vfio_h.VFIO_PCI_ROM_REGION_INDEX ->
          join(width, i -> at + i < layout.rom().length ? layout.rom()[(int) at + i] : -1);
      default ->
          bar(index).registers().isPresent()
              ? bar(index).registers().get().read(at, width)
              : join(width, i -> segment(index).get(ValueLayout.JAVA_BYTE, at + i));
    };
  }

  private interface Bytes {
    int at(int index);
  }

  private static long join(int width, Bytes bytes) {
    long value = 0;
    for (int i = width - 1; i >= 0; i--) {
      value = value << Byte.SIZE | (bytes.at(i) & 0xff);
    }
    return value;
  }

  /** Writes to a region; the access is aligned and inside. */
  synchronized void write(int index, long at, int width, long value) {
    noteCall();
    if (faults.gone() || isOff(index)) {
      return;
    }
    if (index == vfio_h.VFIO_PCI_CONFIG_REGION_INDEX) {
      for (int i = 0; i < width; i++) {
        config.write((int) at + i, (byte) (value >>> (i * Byte.SIZE)));
      }
    } else if (bar(index).registers().isPresent()) {
      bar(index).registers().get().write(at, width, value);
    } else {
      for (int i = 0; i < width; i++) {
        segment(index).set(ValueLayout.JAVA_BYTE, at + i, (byte) (value >>> (i * Byte.SIZE)));
      }
    }
  }

  private MemorySegment segment(int bar) {
    BarMemory memory = memories.get(bar);
    if (memory == null) {
      throw new IllegalArgumentException("BAR " + bar + " of " + name + " is not plain memory");
    }
    return memory.segment();
  }

  int reset() {
    LateWork.sleep(faults.resetDuration());
    if (!layout.resettable()) {
      return -Errno.EINVAL.number();
    }
    if (faults.resetFails()) {
      return -Errno.EIO.number();
    }
    lateWork.finish();
    synchronized (this) {
      model.reset();
      return 0;
    }
  }

  @Override
  public boolean read(long iova, MemorySegment target) {
    target.fill((byte) 0);
    Duration delay = faults.dmaDelay();
    LateWork.sleep(delay);
    return transfer(DmaAccess.READ, iova, target);
  }

  @Override
  public boolean write(long iova, MemorySegment source) {
    Duration delay = faults.dmaDelay();
    if (delay.isZero()) {
      return transfer(DmaAccess.WRITE, iova, source);
    }
    MemorySegment copy = MemorySegment.ofArray(source.toArray(ValueLayout.JAVA_BYTE));
    lateWork.after(delay, () -> transfer(DmaAccess.WRITE, iova, copy));
    return true;
  }

  private boolean transfer(DmaAccess access, long iova, MemorySegment bytes) {
    Iommu space = iommu;
    if (faults.gone() || bytes.byteSize() == 0) {
      return !faults.gone();
    }
    if (space == null || !isBusMaster()) {
      refuse(access, iova, bytes.byteSize(), DmaFault.Reason.NOT_BUS_MASTER);
      return false;
    }
    return space.transfer(access, iova, bytes, this::refuse);
  }

  private synchronized boolean isBusMaster() {
    return config.isBusMaster();
  }

  private void refuse(DmaAccess access, long iova, long size, DmaFault.Reason reason) {
    Throwable call = lastCall;
    List<StackTraceElement> stack = call == null ? List.of() : DriverStack.of(call.getStackTrace());
    synchronized (dmaFaults) {
      dmaFaults.add(new DmaFault(name, access, iova, size, reason, stack));
    }
  }

  @Override
  public void raiseMessage(int vector) {
    if (!faults.gone() && isBusMaster()) { // a message is a write to memory
      irqs.raiseMessage(vector);
    }
  }

  @Override
  public boolean messagesEnabled() {
    return irqs.messagesEnabled();
  }

  @Override
  public void setLine(boolean asserted) {
    if (!faults.gone()) {
      irqs.setLine(asserted);
    }
  }

  @Override
  public MemorySegment barMemory(int bar) {
    return segment(bar);
  }
}
