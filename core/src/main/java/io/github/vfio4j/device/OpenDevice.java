package io.github.vfio4j.device;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.recording.DeviceEvent;
import io.github.vfio4j.recording.Recorded;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What every open device is, whatever the backend: its regions, its interrupts and its closing, on
 * a {@link DeviceChannel}. The public classes of the backends hold one and hand on to it.
 */
public final class OpenDevice {
  /** A device of this library's, whose engine the packages on top of it use. */
  public interface Owner {
    /** Returns the engine of the device. */
    OpenDevice engine();
  }

  /** What a backend adds to the closing of a device. */
  public interface Backing {
    /** Ends what closing the device would not end. */
    void stop(Closing closing);

    /** Returns the owner that the device is closed. Takes no lock. */
    void leaveOwner();

    /**
     * Returns the files of the groups that the device's owner has, by number: they prove to the
     * kernel whose devices are. There are none where an iommufd proves it.
     */
    default Map<Integer, Fd> groups() {
      return Map.of();
    }

    /** Returns whether others may have the file, so that closing it here ends nothing. */
    default boolean isShared() {
      return false;
    }
  }

  private final Kernel kernel;
  private final DeviceChannel channel;
  private final BackendChoice choice;
  private final Backing backing;
  private final Object closeLock;
  private final DeviceInfo info;
  private final Map<Integer, DeviceRegion> regions = new TreeMap<>();
  private final Map<Integer, IrqVectors> irqs = new TreeMap<>();
  private final Map<Ending, Dependents> owned =
      Map.of(
          Ending.FIRST, new Dependents(),
          Ending.BEFORE, new Dependents(),
          Ending.AFTER, new Dependents());

  /** Held while something is owned, and while the file is closed: nothing is missed. */
  private final Object ownLock = new Object();

  private boolean useEnded;

  private boolean closed;
  private @Nullable Step afterwards;

  /**
   * Takes over an open device; the caller closes it if this throws.
   *
   * @param closeLock is held while it is being closed
   */
  public OpenDevice(
      Kernel kernel, DeviceChannel channel, BackendChoice choice, Backing backing, Object closeLock)
      throws VfioException {
    this.kernel = kernel;
    this.channel = channel;
    this.choice = choice;
    this.backing = backing;
    this.closeLock = closeLock;
    this.info = DeviceInfoReply.read(channel);
  }

  /**
   * Returns the engine of a device.
   *
   * @throws IllegalArgumentException if the device is not one of this library's
   */
  public static OpenDevice of(VfioDevice device) {
    if (device instanceof Owner owner) {
      return owner.engine();
    }
    throw new IllegalArgumentException(
        device.name() + " was not opened by this library: " + device.getClass().getName());
  }

  /** Has something closed right after this device, which was opened for it alone. */
  public void closeAfterwards(Step closing) {
    afterwards = closing;
  }

  /** Returns the kernel, for what is made beside the device. */
  public Kernel kernel() {
    return kernel;
  }

  public String name() {
    return channel.name();
  }

  public BackendChoice choice() {
    return choice;
  }

  public DeviceInfo info() {
    return info;
  }

  public boolean isClosed() {
    return channel.isClosed();
  }

  /**
   * Returns the channel to the device, for the ioctls that only some devices have.
   *
   * @throws IllegalStateException if the device is closed
   */
  public DeviceChannel channel() {
    requireOpen();
    return channel;
  }

  /**
   * Returns the files of the groups of its owner, as {@link Backing#groups}.
   *
   * @throws IllegalStateException if the device is closed
   */
  public Map<Integer, Fd> groups() {
    requireOpen();
    return backing.groups();
  }

  /**
   * Has something end with this device. It is owned while it is empty, before the kernel is asked
   * for it: so it ends, even if the device is being closed meanwhile.
   *
   * @param closing closes it, does nothing of the kernel's until there is something, and
   *     {@linkplain #disown disowns} it
   * @throws IllegalStateException if the device is closed, or about to be
   */
  public void own(Ending when, Object made, Step closing) {
    synchronized (ownLock) {
      requireOwner(when);
      owned(when).add(made, closing);
    }
  }

  /**
   * Has something end with this device as {@link #own}, of which a device has one at a time.
   *
   * @return whether there was none of its class
   */
  public boolean ownOne(Ending when, Object made, Step closing) {
    synchronized (ownLock) {
      requireOwner(when);
      return owned(when).addUnless(made.getClass()::isInstance, made, closing);
    }
  }

  private void requireOwner(Ending when) {
    requireOpen();
    if (useEnded && (when == Ending.FIRST || (when == Ending.AFTER && backing.isShared()))) {
      throw new IllegalStateException(name() + " is being closed");
    }
  }

  /** Forgets what is owned and closed. */
  public void disown(Object made) {
    owned.values().forEach(those -> those.remove(made));
  }

  private Dependents owned(Ending when) {
    return Objects.requireNonNull(owned.get(when));
  }

  /**
   * Ends what ends first, for good. Called without the lock of any address space: what ends takes
   * its own.
   */
  public void endUse(Closing closing) {
    synchronized (ownLock) {
      useEnded = true;
    }
    owned(Ending.FIRST).close(closing);
    if (backing.isShared()) {
      owned(Ending.AFTER).close(closing);
    }
  }

  private void requireOpen() {
    if (isClosed()) {
      throw new IllegalStateException(name() + " is closed");
    }
  }

  public Region region(int index) throws VfioException {
    requireIndex(index, info.regionCount(), "region");
    return knownRegion(index);
  }

  /**
   * Returns a region that a reply of the driver names: it may be beyond those that it counts.
   *
   * @throws VfioException if it is no index of a region
   */
  public Region namedRegion(int index, Ioctl reply) throws VfioException {
    if (index < 0) {
      throw Answer.impossible(reply, name(), "region " + Integer.toUnsignedString(index));
    }
    return knownRegion(index);
  }

  private Region knownRegion(int index) throws VfioException {
    synchronized (regions) {
      requireOpen();
      DeviceRegion region = regions.get(index);
      if (region == null) {
        region =
            new DeviceRegion(
                this, channel, kernel.pageSize(), RegionInfoReply.read(channel, index));
        regions.put(index, region);
      }
      return region;
    }
  }

  public IrqIndex irq(int index) throws VfioException {
    requireIndex(index, info.irqCount(), "interrupt index");
    synchronized (irqs) {
      requireOpen();
      IrqVectors known = irqs.get(index);
      if (known == null) {
        known = IrqVectors.read(kernel, channel, index, info.pci());
        irqs.put(index, known);
      }
      return known;
    }
  }

  private void requireIndex(int index, int count, String what) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException(
          "%s has no %s %d, only 0 to %d".formatted(name(), what, index, count - 1));
    }
  }

  public void reset() throws VfioException {
    requireOpen();
    Optional<DeviceEvent.Reset> event = Recorded.begin(DeviceEvent.Reset::new);
    int answer = channel.reset();
    if (answer < 0) {
      throw refusedReset(answer);
    }
    event.ifPresent(reset -> reset.commit(name()));
  }

  /** The kernel is asked first: there are devices with a reset whose driver does not say so. */
  private VfioException refusedReset(int answer) {
    if (!info.resettable()
        && (Answer.is(answer, Errno.EINVAL) || Answer.is(answer, Errno.ENOTTY))) {
      return new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_RESET.name(),
          name(),
          new Errno(-answer),
          "the device has no reset of its own");
    }
    return Answer.failure(
        Ioctl.VFIO_DEVICE_RESET,
        name(),
        answer,
        Answer.is(answer, Errno.EAGAIN)
            ? "the kernel is taking it from its driver, or is resetting it already"
            : "");
  }

  /** Maps a region. */
  @FunctionalInterface
  interface Mapper {
    MappedRegion map(Consumer<MappedRegion> owner) throws VfioException;
  }

  /**
   * Maps a region and owns the mapping. A mapping keeps the device busy, so none is made while the
   * device is closed, which would miss it.
   */
  MappedRegion map(Mapper mapper) throws VfioException {
    synchronized (ownLock) {
      requireOpen();
      try (Rollback rollback = new Rollback()) {
        MappedRegion mapped = rollback.make(() -> mapper.map(this::disown), MappedRegion::close);
        owned(Ending.BEFORE).add(mapped, mapped::close);
        return rollback.done(mapped);
      }
    }
  }

  /** Returns what there is of the device beside its mappings and vectors, and ends with it. */
  public List<Object> extras() {
    List<Object> extras = owned(Ending.BEFORE).oldestFirst();
    extras.removeIf(MappedRegion.class::isInstance);
    extras.addAll(owned(Ending.AFTER).oldestFirst());
    synchronized (irqs) {
      irqs.values().forEach(kind -> kind.addResamples(extras));
    }
    return extras;
  }

  /** Shows which vectors are enabled. */
  public void forEachVector(RunningVectors visitor) throws VfioException {
    synchronized (irqs) {
      for (IrqVectors kind : irqs.values()) {
        kind.forEachEnabled(visitor);
      }
    }
  }

  /**
   * Takes over a vector that another process has enabled.
   *
   * @param event its eventfd, which is duplicated
   */
  public Interrupt takeOver(int index, int vector, Fd event) throws VfioException {
    irq(index);
    synchronized (irqs) {
      IrqVectors kind = irqs.get(index);
      if (kind == null) {
        throw new IllegalStateException(name() + " is closed");
      }
      return kind.takeOver(vector, event);
    }
  }

  /** Lets another process go on with all enabled vectors. */
  public void leaveInterrupts(Closing closing) {
    synchronized (irqs) {
      irqs.values().forEach(kind -> kind.leave(closing));
    }
  }

  /** Disables all interrupts. */
  public void disableInterrupts() throws VfioException {
    Closing closing = new Closing();
    synchronized (irqs) {
      for (IrqVectors kind : irqs.values()) {
        closing.attempt(kind::disable);
      }
    }
    closing.rethrow();
  }

  /**
   * Closes the device: what uses it and its mappings first, since they keep it busy, then the
   * device, which stops its DMA and interrupts, then what was opened for it alone. Closing it again
   * closes mappings that the kernel refused to close.
   */
  public void close() throws VfioException {
    Closing closing = new Closing();
    Step last;
    endUse(closing);
    synchronized (closeLock) {
      if (closed) {
        owned(Ending.BEFORE).close(closing);
      } else {
        closed = true;
        Optional<DeviceEvent.Close> event = Recorded.begin(DeviceEvent.Close::new);
        closeSelf(closing);
        event.ifPresent(close -> close.commit(name()));
      }
      last = afterwards;
    }
    if (last != null) {
      closing.attempt(last);
    }
    closing.rethrow();
  }

  private void closeSelf(Closing closing) {
    owned(Ending.BEFORE).close(closing);
    backing.stop(closing);
    closing.attempt(this::closeChannel);
    owned(Ending.BEFORE).close(closing);
    owned(Ending.AFTER).close(closing);
    synchronized (irqs) {
      for (IrqVectors kind : irqs.values()) {
        kind.deviceClosed(closing);
      }
    }
    backing.leaveOwner();
  }

  private void closeChannel() throws VfioException {
    synchronized (ownLock) {
      Answer.require("close", name(), channel.close(), "");
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return name();
  }
}
