package io.github.vfio4j.device;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.IrqIndex.TooFewVectorsException;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.Step;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The vectors of one IRQ index of an open device, and which of them are enabled. */
final class IrqVectors implements IrqIndex {
  private static final int MOST = 1 << 16;

  private final Kernel kernel;
  private final IrqSet irqSet;
  private final String name;
  private final int index;
  private final int flags;
  private final int count;
  private TreeMap<Integer, IrqVector> enabled = new TreeMap<>();
  private boolean closed;

  private IrqVectors(
      Kernel kernel, DeviceChannel channel, String name, int index, int flags, int count) {
    this.kernel = kernel;
    this.irqSet = new IrqSet(channel, index, this);
    this.name = name;
    this.index = index;
    this.flags = flags;
    this.count = count;
  }

  static IrqVectors read(Kernel kernel, DeviceChannel channel, int index, boolean pci)
      throws VfioException {
    String name = (pci ? pciName(index) : unnamed(index)) + " of " + channel.name();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = Request.of(arena, vfio_irq_info.LAYOUT);
      vfio_irq_info.index(info, index);
      int answer = channel.irqInfo(info);
      if (Answer.is(answer, Errno.EINVAL)) {
        // the PCI driver answers so for a kind that this device does not have
        return new IrqVectors(kernel, channel, name, index, 0, 0);
      }
      Answer.require(Ioctl.VFIO_DEVICE_GET_IRQ_INFO, name, answer);
      int count = vfio_irq_info.count(info);
      if (count < 0 || count > MOST) {
        throw Answer.impossible(
            Ioctl.VFIO_DEVICE_GET_IRQ_INFO, name, Integer.toUnsignedString(count) + " vectors");
      }
      return new IrqVectors(kernel, channel, name, index, vfio_irq_info.flags(info), count);
    }
  }

  private static String unnamed(int index) {
    return "interrupt index " + index;
  }

  private static String pciName(int index) {
    return IrqKind.of(index).map(IrqKind::toString).orElseGet(() -> unnamed(index));
  }

  @Override
  public int index() {
    return index;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int flags() {
    return flags;
  }

  @Override
  public boolean maskable() {
    return (flags & vfio_h.VFIO_IRQ_INFO_MASKABLE) != 0;
  }

  @Override
  public boolean automasked() {
    return (flags & vfio_h.VFIO_IRQ_INFO_AUTOMASKED) != 0;
  }

  @Override
  public boolean resizable() {
    return (flags & vfio_h.VFIO_IRQ_INFO_NORESIZE) == 0;
  }

  @Override
  public Interrupt enable(int vector) throws VfioException {
    return enable(new int[] {vector}).getFirst();
  }

  @Override
  public synchronized List<Interrupt> enable(int... vectors) throws VfioException {
    requireOpen();
    int[] wanted = vectors.clone(); // another thread may change the caller's
    check(wanted);
    try (Rollback rollback = new Rollback()) {
      List<IrqVector> fresh = new ArrayList<>();
      for (int vector : wanted) {
        fresh.add(rollback.make(() -> allocate(vector), IrqVector::closeEvent));
      }
      TreeMap<Integer, IrqVector> together = new TreeMap<>(enabled);
      fresh.forEach(vector -> together.put(vector.vector(), vector));
      List<Interrupt> result = List.copyOf(fresh);
      install(fresh, together);
      enabled = together;
      return rollback.done(result);
    }
  }

  @Override
  public synchronized List<Interrupt> enableUpTo(int most) throws VfioException {
    requireOpen();
    if (most <= 0) {
      throw new IllegalArgumentException("at least one vector must be of use, not " + most);
    }
    requireVector(0);
    int wanted = Math.min(most, count);
    while (true) {
      try {
        return enable(IntStream.range(0, wanted).toArray());
      } catch (TooFewVectorsException fewer) {
        wanted = fewer.available(); // which is less each time
      }
    }
  }

  private void requireVector(int vector) {
    if (vector < 0 || vector >= count) {
      throw new IndexOutOfBoundsException(
          "%s has %d vectors, no vector %d".formatted(this, count, vector));
    }
  }

  private void check(int... vectors) throws VfioException {
    BitSet given = new BitSet();
    for (int vector : vectors) {
      requireVector(vector);
      if (given.get(vector)) {
        throw new IllegalArgumentException("vector " + vector + " is given twice");
      }
      given.set(vector);
      if (enabled.containsKey(vector)) {
        throw new DeviceBusyException(
            "enable", "vector " + vector + " of " + this, null, "it is enabled already");
      }
    }
    requireSome(given);
  }

  private static void requireSome(BitSet vectors) {
    if (vectors.isEmpty()) {
      throw new IllegalArgumentException("no vector is given");
    }
  }

  private IrqVector allocate(int vector) throws VfioException {
    String object = "vector " + vector + " of " + this;
    EventFd event = new EventFd(kernel, object);
    IrqVector allocated = new IrqVector(this, vector, event);
    Answer.require("eventfd", object, event.open(), "");
    return allocated;
  }

  @Override
  public synchronized void trigger(int... vectors) throws VfioException {
    requireOpen();
    BitSet wanted = new BitSet();
    for (int vector : vectors) {
      requireVector(vector);
      if (!enabled.containsKey(vector)) {
        throw new IllegalStateException("vector " + vector + " of " + this + " is not enabled");
      }
      wanted.set(vector);
    }
    requireSome(wanted);
    irqSet.trigger(wanted);
  }

  /** Has an eventfd unmask a vector. */
  synchronized IrqResample resample(IrqVector vector) throws VfioException {
    requireEnabled(vector);
    if (vector.unmasking() != null) {
      throw new DeviceBusyException(
          "resample",
          vector.toString(),
          null,
          "it has an eventfd for that already; close it first");
    }
    try (Rollback rollback = new Rollback()) {
      IrqResample fresh = rollback.make(() -> allocateResample(vector), IrqResample::closeEvent);
      irqSet.resample(vector.vector(), fresh.file());
      vector.unmasking(fresh);
      return rollback.done(fresh);
    }
  }

  private IrqResample allocateResample(IrqVector vector) throws VfioException {
    EventFd event = new EventFd(kernel, "the resample of " + vector);
    IrqResample allocated = new IrqResample(this, vector, event);
    Answer.require("eventfd", allocated.toString(), event.open(), "");
    return allocated;
  }

  /** Ends that, unless it has ended. */
  synchronized void end(IrqResample resample) throws VfioException {
    IrqVector vector = resample.vector();
    if (vector.unmasking() == resample) {
      irqSet.endResample(vector.vector());
      vector.unmasking(null);
      resample.closeEvent();
    }
  }

  /** Makes the kernel signal the wanted consumers, of which some are fresh, or changes nothing. */
  private void install(List<IrqVector> fresh, NavigableMap<Integer, IrqVector> wanted)
      throws VfioException {
    boolean fits = !enabled.isEmpty() && wanted.lastKey() <= enabled.lastKey();
    if (enabled.isEmpty()) {
      irqSet.install(wanted);
    } else if (fits || resizable()) {
      addOneByOne(fresh);
    } else {
      try (Rollback rollback = new Rollback()) {
        Step again = this::installAgain;
        irqSet.disable();
        rollback.add(again);
        irqSet.install(wanted);
        rollback.done(wanted);
      }
    }
  }

  /** Brings back what was enabled before; where the kernel refuses that, too, nothing is. */
  private void installAgain() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(this::closeAll);
      irqSet.install(enabled);
      rollback.done(enabled);
    }
  }

  private void addOneByOne(List<IrqVector> fresh) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      for (IrqVector vector : fresh) {
        Step clear = () -> irqSet.clear(vector.vector());
        irqSet.set(vector.vector(), vector);
        rollback.add(clear);
      }
      rollback.done(fresh);
    }
  }

  @Override
  public synchronized void disable() throws VfioException {
    if (enabled.isEmpty()) {
      return;
    }
    irqSet.disable();
    closeAll();
  }

  /** Disables one vector and closes its consumer, unless that has been done. */
  synchronized void disable(IrqVector vector) throws VfioException {
    if (enabled.get(vector.vector()) != vector) {
      return;
    }
    if (enabled.size() == 1) {
      irqSet.disable();
    } else {
      irqSet.clear(vector.vector());
    }
    enabled.remove(vector.vector());
    vector.closeEvent();
  }

  /** Asks something of a vector's, not of its successor's. */
  synchronized void ask(IrqVector vector, Step question) throws VfioException {
    requireEnabled(vector);
    question.run();
  }

  private void requireEnabled(IrqVector vector) {
    if (enabled.get(vector.vector()) != vector) {
      throw new IllegalStateException(vector + " is closed");
    }
  }

  /** Adds the eventfds that unmask vectors to a list. */
  synchronized void addResamples(List<Object> list) {
    for (IrqVector vector : enabled.values()) {
      IrqResample unmasking = vector.unmasking();
      if (unmasking != null) {
        list.add(unmasking);
      }
    }
  }

  /** Shows which vectors are enabled. */
  synchronized void forEachEnabled(RunningVectors visitor) throws VfioException {
    for (IrqVector vector : enabled.values()) {
      visitor.visit(index, vector, vector.file());
    }
  }

  /**
   * Takes over a vector that another process has enabled.
   *
   * @param fd its eventfd, which is duplicated
   */
  synchronized Interrupt takeOver(int vector, Fd fd) throws VfioException {
    requireOpen();
    check(vector);
    String object = "vector " + vector + " of " + this;
    try (Rollback rollback = new Rollback()) {
      IrqVector taken = new IrqVector(this, vector, new EventFd(kernel, object));
      rollback.add(taken::closeEvent);
      int answer = fd.call(number -> taken.take(kernel.duplicate(number)));
      Answer.require("fcntl", object, answer, "");
      enabled.put(vector, taken);
      return rollback.done(taken);
    }
  }

  /** Lets another process go on with all vectors that are enabled. */
  synchronized void leave(Closing closing) {
    closeAll(closing);
  }

  /** Ends all consumers after the device itself was closed. */
  synchronized void deviceClosed(Closing closing) {
    closed = true;
    closeAll(closing);
  }

  private void closeAll() throws VfioException {
    Closing closing = new Closing();
    closeAll(closing);
    closing.rethrow();
  }

  private void closeAll(Closing closing) {
    for (IrqVector vector : enabled.values()) {
      closing.attempt(vector::closeEvent);
    }
    enabled.clear();
  }

  IrqSet irqSet() {
    return irqSet;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return name;
  }
}
