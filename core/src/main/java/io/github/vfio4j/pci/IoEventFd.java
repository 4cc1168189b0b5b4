package io.github.vfio4j.pci;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_ioeventfd;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An eventfd of which each signal has the kernel write one value to one register of a device: a
 * doorbell that somebody else may ring who cannot reach the device, such as KVM for a guest.
 *
 * <p>The value is given when it is made, little-endian as in the device's memory. A KVM ioeventfd
 * may match any data; VFIO's always has its data, for the kernel has nothing else to write. So a
 * register that takes several values wants one of these for each, and a guest's write is passed on
 * by a KVM ioeventfd that matches the same data. Several signals that the kernel sees at once are
 * written once. While the device's memory is switched off, nothing is written, and nobody is told.
 *
 * <p>It belongs to its device and ends with it. Methods may be called from any thread; {@link
 * #signal} allocates nothing.
 */
public final class IoEventFd implements AutoCloseable {
  private final OpenDevice device;
  private final Place place;
  private final EventFd event;
  private boolean added;
  private boolean closed;

  private IoEventFd(OpenDevice device, Place place, EventFd event) {
    this.device = device;
    this.place = place;
    this.event = event;
  }

  /**
   * Has the kernel write 8 bits whenever the eventfd is signalled; {@code VFIO_DEVICE_IOEVENTFD}.
   *
   * @param device a PCI device, with a driver of the kernel's
   * @param bar the number of the BAR, from 0 to 5
   * @param offset bytes from the start of the BAR
   * @param value what is written
   * @return the eventfd; the caller closes it, or the device does
   * @throws IllegalArgumentException if the device was not opened by this library, or the MSI-X
   *     table is there, to which nobody may write
   * @throws IllegalStateException if the device is closed, or no PCI device
   * @throws IndexOutOfBoundsException if there is no such BAR, or the register lies outside
   * @throws io.github.vfio4j.UnsupportedByKernelException if its driver does not have it, as those
   *     of mediated devices
   * @throws VfioException if the kernel refuses, also where the device has one for this value
   *     there, or a thousand in all
   */
  public static IoEventFd ofByte(VfioDevice device, int bar, long offset, byte value)
      throws VfioException {
    return add(device, bar, offset, vfio_h.VFIO_DEVICE_IOEVENTFD_8, Byte.toUnsignedLong(value));
  }

  /**
   * Has the kernel write 16 bits whenever the eventfd is signalled, as {@link #ofByte} 8.
   *
   * @param device a PCI device, with a driver of the kernel's
   * @param bar the number of the BAR, from 0 to 5
   * @param offset bytes from the start of the BAR, a multiple of 2
   * @param value what is written
   * @return the eventfd; the caller closes it, or the device does
   * @throws IllegalArgumentException if the offset is no multiple of 2, or as {@link #ofByte}
   * @throws IllegalStateException as {@link #ofByte}
   * @throws IndexOutOfBoundsException as {@link #ofByte}
   * @throws VfioException as {@link #ofByte}
   */
  public static IoEventFd ofShort(VfioDevice device, int bar, long offset, short value)
      throws VfioException {
    return add(device, bar, offset, vfio_h.VFIO_DEVICE_IOEVENTFD_16, Short.toUnsignedLong(value));
  }

  /**
   * Has the kernel write 32 bits whenever the eventfd is signalled, as {@link #ofByte} 8.
   *
   * @param device a PCI device, with a driver of the kernel's
   * @param bar the number of the BAR, from 0 to 5
   * @param offset bytes from the start of the BAR, a multiple of 4
   * @param value what is written
   * @return the eventfd; the caller closes it, or the device does
   * @throws IllegalArgumentException if the offset is no multiple of 4, or as {@link #ofByte}
   * @throws IllegalStateException as {@link #ofByte}
   * @throws IndexOutOfBoundsException as {@link #ofByte}
   * @throws VfioException as {@link #ofByte}
   */
  public static IoEventFd ofInt(VfioDevice device, int bar, long offset, int value)
      throws VfioException {
    return add(device, bar, offset, vfio_h.VFIO_DEVICE_IOEVENTFD_32, Integer.toUnsignedLong(value));
  }

  /**
   * Has the kernel write 64 bits whenever the eventfd is signalled, as {@link #ofByte} 8.
   *
   * @param device a PCI device, with a driver of the kernel's
   * @param bar the number of the BAR, from 0 to 5
   * @param offset bytes from the start of the BAR, a multiple of 8
   * @param value what is written
   * @return the eventfd; the caller closes it, or the device does
   * @throws IllegalArgumentException if the offset is no multiple of 8, or as {@link #ofByte}
   * @throws IllegalStateException as {@link #ofByte}
   * @throws IndexOutOfBoundsException as {@link #ofByte}
   * @throws VfioException as {@link #ofByte}
   */
  public static IoEventFd ofLong(VfioDevice device, int bar, long offset, long value)
      throws VfioException {
    return add(device, bar, offset, vfio_h.VFIO_DEVICE_IOEVENTFD_64, value);
  }

  private static IoEventFd add(VfioDevice device, int bar, long offset, int width, long value)
      throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    Place place = Place.of(device, bar, offset, width, value);
    try (Rollback rollback = new Rollback()) {
      EventFd event = rollback.make(() -> open(engine, place), IoEventFd::close);
      IoEventFd made = new IoEventFd(engine, place, event);
      rollback.add(made::close);
      engine.own(Ending.AFTER, made, made::close);
      made.add();
      return rollback.done(made);
    }
  }

  private synchronized void add() throws VfioException {
    int answer = event.fd().call(fd -> ask(device, place, fd));
    if (answer < 0) {
      throw Answer.failure(Ioctl.VFIO_DEVICE_IOEVENTFD, toString(), answer, meaning(answer));
    }
    added = true;
  }

  private static EventFd open(OpenDevice device, Place place) throws VfioException {
    EventFd event = new EventFd(device.kernel(), place);
    Answer.require("eventfd", place.toString(), event.open(), "");
    return event;
  }

  private static void close(EventFd event) throws VfioException {
    Answer.require("close", event.fd().toString(), event.close(), "");
  }

  private static int ask(OpenDevice device, Place place, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, vfio_device_ioeventfd.LAYOUT);
      vfio_device_ioeventfd.flags(request, place.width());
      vfio_device_ioeventfd.offset(request, place.fileOffset());
      vfio_device_ioeventfd.data(request, place.value());
      vfio_device_ioeventfd.fd(request, fd);
      return device.channel().ask(Ioctl.VFIO_DEVICE_IOEVENTFD, request);
    }
  }

  private static String meaning(int answer) {
    if (Answer.is(answer, Errno.EEXIST)) {
      return "it has one for this value";
    }
    if (Answer.is(answer, Errno.ENOSPC)) {
      return "the device has as many as the kernel allows";
    }
    return "";
  }

  /**
   * Returns the eventfd, to be signalled by whoever else takes it; for the packages of this module.
   *
   * @return the file
   */
  @SuppressWarnings("exports")
  public Fd file() {
    return event.fd();
  }

  /**
   * Has the kernel write the value: before this returns, or, where the device is being reset or its
   * memory switched, right after that.
   *
   * @throws IllegalStateException if it is closed, or its device is
   * @throws VfioException if the kernel refuses
   */
  public void signal() throws VfioException {
    long answer = event.signal();
    if (answer < 0) {
      throw Answer.failure("write", toString(), (int) answer, "");
    }
  }

  /**
   * Has the kernel write no more; {@code VFIO_DEVICE_IOEVENTFD} with a descriptor of -1. Later
   * calls do nothing, as after the device was closed.
   *
   * @throws VfioException if the kernel refuses; signals are written still then
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    int answer = added && !device.isClosed() ? remove() : 0;
    Answer.require(Ioctl.VFIO_DEVICE_IOEVENTFD, toString(), answer);
    closed = true;
    device.disown(this);
    close(event);
  }

  private int remove() {
    try {
      return ask(device, place, -1);
    } catch (IllegalStateException closedMeanwhile) {
      return 0;
    }
  }

  /** Returns what is written where. */
  @Override
  public String toString() {
    return place.toString();
  }
}
