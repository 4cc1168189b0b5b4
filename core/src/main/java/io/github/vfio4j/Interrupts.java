package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The interrupts of one kind of a device, numbered from 0: its vectors.
 *
 * <p>A vector that is enabled signals an eventfd; {@link Interrupt} is its consumer. Vectors may be
 * enabled with holes between them. Thread-safe; it belongs to its device and ends with it.
 */
public final class Interrupts {
  /** The index of a PCI device's line interrupt. */
  public static final int INTX = vfio_h.VFIO_PCI_INTX_IRQ_INDEX;

  /** The index of a PCI device's message-signalled interrupts. */
  public static final int MSI = vfio_h.VFIO_PCI_MSI_IRQ_INDEX;

  /** The index of a PCI device's message-signalled interrupts of the extended kind. */
  public static final int MSIX = vfio_h.VFIO_PCI_MSIX_IRQ_INDEX;

  /** The index under which the kernel tells that a PCI device has reported an error. */
  public static final int ERROR = vfio_h.VFIO_PCI_ERR_IRQ_INDEX;

  /** The index under which the kernel asks to give a PCI device back. */
  public static final int REQUEST = vfio_h.VFIO_PCI_REQ_IRQ_INDEX;

  private static final int MOST = 1 << 16;

  private final VfioDevice device;
  private final Kernel kernel;
  private final IrqSet irqSet;
  private final int index;
  private final int flags;
  private final int count;
  private final TreeMap<Integer, Interrupt> enabled = new TreeMap<>();
  private boolean closed;

  private Interrupts(VfioDevice device, Kernel kernel, Fd fd, int index, int flags, int count) {
    this.device = device;
    this.kernel = kernel;
    this.irqSet = new IrqSet(fd, index, this);
    this.index = index;
    this.flags = flags;
    this.count = count;
  }

  static Interrupts read(VfioDevice device, Kernel kernel, Fd fd, int index) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(vfio_irq_info.LAYOUT);
      vfio_irq_info.argsz(info, (int) vfio_irq_info.SIZEOF);
      vfio_irq_info.index(info, index);
      int answer = fd.ioctl(Ioctl.VFIO_DEVICE_GET_IRQ_INFO, info);
      String object = "interrupt index " + index + " of " + device;
      if (answer == -Errno.EINVAL.number()) {
        // the PCI driver answers so for a kind that this device does not have
        return new Interrupts(device, kernel, fd, index, 0, 0);
      }
      if (answer < 0) {
        throw Failure.of(Ioctl.VFIO_DEVICE_GET_IRQ_INFO, object, answer);
      }
      int count = vfio_irq_info.count(info);
      if (count < 0 || count > MOST) {
        throw new VfioException(
            Ioctl.VFIO_DEVICE_GET_IRQ_INFO.name(),
            object,
            null,
            "the kernel's reply has " + Integer.toUnsignedString(count) + " vectors");
      }
      return new Interrupts(device, kernel, fd, index, vfio_irq_info.flags(info), count);
    }
  }

  /**
   * Returns which kind of interrupt this is.
   *
   * @return the kernel's index
   */
  public int index() {
    return index;
  }

  /**
   * Returns how many vectors the device has.
   *
   * @return the number; 0 where the device has none of this kind
   */
  public int count() {
    return count;
  }

  /**
   * Returns what the kernel says of this kind.
   *
   * @return the {@code VFIO_IRQ_INFO_} bits
   */
  public int flags() {
    return flags;
  }

  /**
   * Tells whether vectors can be masked.
   *
   * @return whether {@link Interrupt#mask} and {@link Interrupt#unmask} work
   */
  public boolean maskable() {
    return (flags & vfio_h.VFIO_IRQ_INFO_MASKABLE) != 0;
  }

  /**
   * Tells whether the kernel masks a vector each time it fires.
   *
   * @return whether {@link Interrupt#unmask} is needed after each interrupt, as with INTx
   */
  public boolean automasked() {
    return (flags & vfio_h.VFIO_IRQ_INFO_AUTOMASKED) != 0;
  }

  /**
   * Tells whether vectors can be enabled one after another without disturbing those enabled.
   *
   * @return whether the kernel adds vectors one by one; if not, enabling a vector beyond the
   *     highest enabled one sets all of them up again, and an interrupt in that moment can be lost
   */
  public boolean growable() {
    return (flags & vfio_h.VFIO_IRQ_INFO_NORESIZE) == 0;
  }

  /**
   * Enables one vector; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @param vector its number, from 0
   * @return its consumer; the caller closes it, or the device does
   * @throws IndexOutOfBoundsException if the device has no such vector
   * @throws DeviceBusyException if the vector is enabled already
   * @throws VfioException if the kernel refuses; the vectors are as before then
   */
  public Interrupt enable(int vector) throws VfioException {
    return enable(new int[] {vector}).getFirst();
  }

  /**
   * Enables several vectors at once; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @param vectors their numbers, from 0, in any order and with holes
   * @return their consumers, in the order of the numbers given
   * @throws IllegalArgumentException if no vector or one vector twice is given
   * @throws IndexOutOfBoundsException if the device has no such vector
   * @throws DeviceBusyException if a vector is enabled already
   * @throws VfioException if the kernel refuses; the vectors are as before then
   */
  public synchronized List<Interrupt> enable(int... vectors) throws VfioException {
    requireOpen();
    check(vectors);
    List<Interrupt> fresh = new ArrayList<>();
    try {
      for (int vector : vectors) {
        fresh.add(allocate(vector));
      }
      TreeMap<Integer, Interrupt> wanted = new TreeMap<>(enabled);
      fresh.forEach(interrupt -> wanted.put(interrupt.vector(), interrupt));
      install(fresh, wanted);
    } catch (VfioException | RuntimeException e) {
      for (Interrupt interrupt : fresh) {
        interrupt.closeEvent();
      }
      throw e;
    }
    fresh.forEach(interrupt -> enabled.put(interrupt.vector(), interrupt));
    return List.copyOf(fresh);
  }

  private void check(int... vectors) throws VfioException {
    BitSet given = new BitSet();
    for (int vector : vectors) {
      if (vector < 0 || vector >= count) {
        throw new IndexOutOfBoundsException(
            "%s has %d vectors, no vector %d".formatted(this, count, vector));
      }
      if (given.get(vector)) {
        throw new IllegalArgumentException("vector " + vector + " is given twice");
      }
      given.set(vector);
      if (enabled.containsKey(vector)) {
        throw new DeviceBusyException(
            "enable", "vector " + vector + " of " + this, null, "it is enabled already");
      }
    }
    if (given.isEmpty()) {
      throw new IllegalArgumentException("no vector is given");
    }
  }

  private Interrupt allocate(int vector) throws VfioException {
    String object = "vector " + vector + " of " + this;
    int number = EventFd.request(kernel);
    if (number < 0) {
      throw Failure.of("eventfd", object, number, "");
    }
    return new Interrupt(this, vector, EventFd.of(kernel, number, object));
  }

  /** Makes the kernel signal the wanted consumers, of which some are fresh, or changes nothing. */
  private void install(List<Interrupt> fresh, NavigableMap<Integer, Interrupt> wanted)
      throws VfioException {
    boolean fits = !enabled.isEmpty() && wanted.lastKey() <= enabled.lastKey();
    if (enabled.isEmpty()) {
      irqSet.install(wanted);
    } else if (fits || growable()) {
      addOneByOne(fresh);
    } else {
      irqSet.disable();
      try {
        irqSet.install(wanted);
      } catch (VfioException e) {
        irqSet.install(enabled);
        throw e;
      }
    }
  }

  private void addOneByOne(List<Interrupt> fresh) throws VfioException {
    List<Interrupt> added = new ArrayList<>();
    try {
      for (Interrupt interrupt : fresh) {
        irqSet.set(interrupt.vector(), interrupt);
        added.add(interrupt);
      }
    } catch (VfioException e) {
      for (Interrupt interrupt : added) {
        irqSet.clear(interrupt.vector());
      }
      throw e;
    }
  }

  /**
   * Disables all vectors and closes their consumers. Does nothing where none is enabled.
   *
   * @throws VfioException if the kernel refuses; the vectors stay enabled then
   */
  public synchronized void disable() throws VfioException {
    if (enabled.isEmpty()) {
      return;
    }
    irqSet.disable();
    closeAll(new FirstFailure());
  }

  /** Disables one vector and closes its consumer, unless that has been done. */
  synchronized void disable(Interrupt interrupt) throws VfioException {
    if (enabled.get(interrupt.vector()) != interrupt) {
      return;
    }
    if (enabled.size() == 1) {
      irqSet.disable();
    } else {
      irqSet.clear(interrupt.vector());
    }
    enabled.remove(interrupt.vector());
    interrupt.closeEvent();
  }

  /** Ends all consumers after the device itself was closed. */
  synchronized void deviceClosed(FirstFailure failure) {
    closed = true;
    closeAll(failure);
  }

  private void closeAll(FirstFailure failure) {
    for (Interrupt interrupt : enabled.values()) {
      failure.attempt(interrupt::closeEvent);
    }
    enabled.clear();
  }

  IrqSet irqSet() {
    return irqSet;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(device + " is closed");
    }
  }

  /** Returns what messages call these interrupts. */
  @Override
  public String toString() {
    String kind =
        switch (device.info().pci() ? index : -1) {
          case INTX -> "INTx";
          case MSI -> "MSI";
          case MSIX -> "MSI-X";
          case ERROR -> "the error interrupt";
          case REQUEST -> "the request interrupt";
          default -> "interrupt index " + index;
        };
    return kind + " of " + device;
  }
}
