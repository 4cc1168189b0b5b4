package io.github.vfio4j.device;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.Errno;
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
import java.util.Map;
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
  }

  private final Kernel kernel;
  private final DeviceChannel channel;
  private final BackendChoice choice;
  private final Backing backing;
  private final Object closeLock;
  private final DeviceInfo info;
  private final Map<Integer, DeviceRegion> regions = new TreeMap<>();
  private final Map<Integer, IrqVectors> irqs = new TreeMap<>();
  private final Dependents mappedRegions = new Dependents();

  /** Files that the device has given, which the kernel does not end with it. */
  private final Dependents dependents = new Dependents();

  /** What the kernel ends with the device. */
  private final Dependents owned = new Dependents();

  /** Held while something is made that ends with the device, and while that is closed. */
  private final Object makeLock = new Object();

  /** What else there is of the device, in objects that it is not the owner of. */
  private final Dependents users = new Dependents();

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
   * Has something end before this device: what has it mapped elsewhere, or a file of its memory.
   *
   * @param ending ends it, and has to {@linkplain #removeUser remove} it; no lock is held then
   * @throws IllegalStateException if the device is closed, or about to be
   */
  public void addUser(Object user, Step ending) {
    synchronized (users) {
      requireOpen();
      if (useEnded) {
        throw new IllegalStateException(name() + " is being closed");
      }
      users.add(user, ending);
    }
  }

  public void removeUser(Object user) {
    users.remove(user);
  }

  /**
   * Ends what uses this device, for good. Called without the lock of any address space: what ends
   * takes its own.
   */
  public void endUse(Closing closing) {
    synchronized (users) {
      useEnded = true;
    }
    users.close(closing);
  }

  /**
   * Returns what ends before the device beside its mappings and interrupts. What is added before
   * the channel is asked for something is closed, even if the device is being closed meanwhile.
   */
  public Dependents dependents() {
    return dependents;
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
    if (!info.resettable()) {
      throw new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_RESET.name(), name(), null, "the device has no reset of its own");
    }
    Optional<DeviceEvent.Reset> event = Recorded.begin(DeviceEvent.Reset::new);
    int answer = channel.reset();
    if (answer < 0) {
      throw Answer.failure(Ioctl.VFIO_DEVICE_RESET, name(), answer, meaningOfReset(answer));
    }
    event.ifPresent(reset -> reset.commit(name()));
  }

  private static String meaningOfReset(int answer) {
    return Answer.is(answer, Errno.EAGAIN)
        ? "the kernel is taking it from its driver, or is resetting it already"
        : "";
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
    return make(() -> mapper.map(mappedRegions::remove), MappedRegion::close, mappedRegions);
  }

  /**
   * Makes something that the kernel ends when the device is closed, and owns what is left of it.
   *
   * @param closing closes it while the device is open, or what is left afterwards, and {@linkplain
   *     #disown disowns} it
   */
  public <T> T own(Rollback.Making<? extends T> making, Rollback.Undoing<? super T> closing)
      throws VfioException {
    return make(making, closing, owned);
  }

  /** Forgets what was made by {@link #own} and is closed. */
  public void disown(Object made) {
    owned.remove(made);
  }

  private <T> T make(
      Rollback.Making<? extends T> making,
      Rollback.Undoing<? super T> closing,
      Dependents dependents)
      throws VfioException {
    synchronized (makeLock) {
      requireOpen();
      try (Rollback rollback = new Rollback()) {
        T made = rollback.make(making, closing);
        dependents.add(made, () -> closing.run(made));
        return rollback.done(made);
      }
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
        closeMade(closing);
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
    closeMade(closing);
    backing.stop(closing);
    closing.attempt(this::closeChannel);
    closeMade(closing);
    owned.close(closing);
    synchronized (irqs) {
      for (IrqVectors kind : irqs.values()) {
        kind.deviceClosed(closing);
      }
    }
    backing.leaveOwner();
  }

  private void closeMade(Closing closing) {
    mappedRegions.close(closing);
    dependents.close(closing);
  }

  private void closeChannel() throws VfioException {
    synchronized (makeLock) {
      Answer.require("close", name(), channel.close(), "");
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return name();
  }
}
