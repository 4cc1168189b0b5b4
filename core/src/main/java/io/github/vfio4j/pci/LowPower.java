package io.github.vfio4j.pci;

import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_low_power_entry_with_wakeup;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.channel.Subscriber;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A PCI device that the kernel may put to sleep, until this is closed: it goes to the deepest state
 * that it can reach, D3hot or, where the platform cuts its power, D3cold. That it may does not mean
 * that it does: a kernel without power management keeps it awake, and so do virtual functions in
 * use. The file {@code power_state} in its directory of sysfs tells.
 *
 * <p>Ioctls, and regions that are read and written by the kernel ({@link
 * io.github.vfio4j.Region#readInt} and the like), wake it up for their time, and it sleeps again:
 * until it is closed, if it was entered by {@link #enter}; while those of {@link #enterWithWakeup}
 * end the first time that happens. A mapped region cannot be accessed meanwhile: that is an {@link
 * InternalError}, as {@link io.github.vfio4j.MappedRegion} says. Let the device have no work to do:
 * its DMA and its interrupts stop.
 *
 * <p>The device owns it: closing the device ends it, too. Thread-safe.
 */
public final class LowPower implements AutoCloseable {
  private final OpenDevice device;
  private final @Nullable Wakeup wakeup;
  private boolean entered;
  private boolean closed;

  private LowPower(OpenDevice device, @Nullable Wakeup wakeup) {
    this.device = device;
    this.wakeup = wakeup;
  }

  /**
   * Lets a device sleep until this is closed; {@code VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY}.
   *
   * @param device an open device
   * @return closing it wakes the device up
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if the device or this kernel does not have it (Linux 6.1
   *     was the first that had it)
   * @throws VfioException if the kernel refuses; EINVAL says that the device may sleep already
   */
  public static LowPower enter(VfioDevice device) throws VfioException {
    return entered(new LowPower(OpenDevice.of(device), null));
  }

  /**
   * Lets a device sleep until it is accessed or wakes up by itself, and tells of that; {@code
   * VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP}.
   *
   * @param device an open device
   * @return what is told of the {@link #wakeup}; closing it wakes the device up if it has not
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if the device or this kernel does not have it (Linux 6.1
   *     was the first that had it)
   * @throws VfioException if the kernel refuses; EINVAL says that the device may sleep already
   */
  public static LowPower enterWithWakeup(VfioDevice device) throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    try (Rollback rollback = new Rollback()) {
      EventFd event = new EventFd(engine.kernel(), "wakeup of " + engine.name());
      rollback.add(event::close);
      Answer.require("eventfd", engine.name(), event.open(), "");
      return rollback.done(entered(new LowPower(engine, new Wakeup(event))));
    }
  }

  private static LowPower entered(LowPower entering) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(entering::close);
      entering.device.own(Ending.AFTER, entering, entering::close);
      entering.enter();
      return rollback.done(entering);
    }
  }

  private synchronized void enter() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      if (wakeup == null) {
        enter(DeviceFeature.LOW_POWER_ENTRY, KernelFeature.request(arena, 0));
      } else {
        MemorySegment request =
            KernelFeature.request(arena, vfio_device_low_power_entry_with_wakeup.SIZEOF);
        Fd file = wakeup.event.fd();
        int number = file.acquire();
        try {
          vfio_device_low_power_entry_with_wakeup.wakeup_eventfd(
              KernelFeature.payload(request), number);
          enter(DeviceFeature.LOW_POWER_ENTRY_WITH_WAKEUP, request);
        } finally {
          file.release();
        }
      }
    }
    entered = true;
  }

  private void enter(DeviceFeature feature, MemorySegment request) throws VfioException {
    feature.kernel().set(device, request, "the device may sleep already, if that is EINVAL");
  }

  /**
   * Returns what tells that the device has woken up.
   *
   * @return empty if it was entered by {@link #enter}
   */
  public Optional<Wakeup> wakeup() {
    return Optional.ofNullable(wakeup);
  }

  /**
   * Wakes the device up; {@code VFIO_DEVICE_FEATURE_LOW_POWER_EXIT}. Its registers can be accessed
   * afterwards; which of them it has kept is up to the device. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the device sleeps on then, and this may be called
   *     again
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    if (entered && !device.isClosed()) {
      exit();
    }
    closed = true;
    device.disown(this);
    if (wakeup != null) {
      wakeup.close();
    }
  }

  private void exit() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      DeviceFeature.LOW_POWER_EXIT.kernel().set(device, KernelFeature.request(arena, 0), "");
    } catch (IllegalStateException e) {
      if (!device.isClosed()) {
        throw e;
      }
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "low power of " + device.name();
  }

  /**
   * What tells that a device has woken up: because it was accessed, or by itself. Consume it either
   * by {@link #await} or through an {@link io.github.vfio4j.event.EventDispatcher}. It ends with
   * its {@link LowPower}. Thread-safe.
   */
  @SuppressWarnings("exports") // the channel is for the dispatcher
  public static final class Wakeup implements EventChannel.Source<Long> {
    private final EventFd event;
    private final Channel channel = new Channel();

    private Wakeup(EventFd event) {
      this.event = event;
    }

    private final class Channel implements EventChannel<Long> {
      private final Subscriber subscriber = new Subscriber();

      @Override
      public Fd file() {
        return event.fd();
      }

      @Override
      public @Nullable Long take() throws VfioException {
        long count = checked(event.take());
        return count == 0 ? null : count;
      }

      @Override
      public Subscriber subscriber() {
        return subscriber;
      }
    }

    /**
     * Returns how {@link io.github.vfio4j.event.EventDispatcher} watches it, which is its business
     * alone.
     *
     * @return the channel
     */
    @Override
    public EventChannel<Long> channel() {
      return channel;
    }

    @Override
    public boolean isClosed() {
      return event.isClosed();
    }

    /**
     * Waits until the device wakes up.
     *
     * @param timeout how long to wait, to the nanosecond; zero only looks
     * @return whether it has, and nobody was told before; false when the time ran out
     * @throws IllegalArgumentException if the timeout is negative
     * @throws IllegalStateException if it is closed, or gets closed while waiting
     * @throws VfioException if the kernel refuses
     */
    public boolean await(Duration timeout) throws VfioException {
      long nanos = Timeout.nanos(timeout);
      return checked(nanos == 0 ? event.take() : event.await(nanos)) > 0;
    }

    private long checked(long answer) throws VfioException {
      return Answer.require("read", toString(), answer, "");
    }

    private void close() throws VfioException {
      channel.subscriber().sourceCloses();
      Answer.require("close", toString(), event.close(), "");
    }

    /** Returns the name used in messages. */
    @Override
    public String toString() {
      return event.fd().object();
    }
  }
}
