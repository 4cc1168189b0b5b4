package io.github.vfio4j.handover;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.device.IrqResample;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import io.github.vfio4j.pci.IoEventFd;
import java.util.Optional;

/**
 * An open file of this process, to be handed over, or received from another process.
 *
 * <p>It is a descriptor of its own, so what it was made from may be closed while this stays open,
 * and the other way round; but it is the same open file: the kernel keeps a device bound, and its
 * DMA going, as long as anybody holds its file. It is closed on exec. Thread-safe.
 */
public final class OpenFile implements AutoCloseable {
  private final Fd file;

  OpenFile(Fd file) {
    this.file = file;
  }

  /**
   * Makes one of a descriptor of this process.
   *
   * @param fd its number; it is duplicated, so the caller's stays the caller's
   * @return the file; the caller closes it
   * @throws VfioException if it is not an open file of this process
   */
  public static OpenFile of(int fd) throws VfioException {
    return new OpenFile(OpenNode.duplicate(RunningKernel.get(), fd));
  }

  /**
   * Makes one of an iommufd. Whoever has it can make, map and destroy all that is in it.
   *
   * @param iommufd the iommufd
   * @return the file; the caller closes it
   * @throws IllegalStateException if the iommufd is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(Iommufd iommufd) throws VfioException {
    return new OpenFile(iommufd.share().file());
  }

  /**
   * Makes one of a device.
   *
   * @param device the device, opened by either of the kernel's interfaces
   * @return the file; the caller closes it
   * @throws IllegalArgumentException if it is no device of the kernel's, but one of a model, or not
   *     of this library
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(VfioDevice device) throws VfioException {
    if (OpenDevice.of(device).channel() instanceof DeviceFile opened) {
      return duplicate(opened.file());
    }
    throw new IllegalArgumentException(device.name() + " has no file: it is a model of a device");
  }

  /**
   * Makes one of a device's node that is not bound yet.
   *
   * @param device the open node
   * @return the file; the caller closes it
   * @throws IllegalStateException if the node is closed, or bound
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(UnboundDevice device) throws VfioException {
    return duplicate(device.file());
  }

  /**
   * Opens the group of a device, for a program that drives it by the legacy interface: that one
   * puts it into a container.
   *
   * @param device the device, as sysfs shows it
   * @return the file; the caller closes it
   * @throws DeviceNotBoundException if the device is not bound to a VFIO driver, or its group has
   *     no node
   * @throws DeviceBusyException if somebody has the group open
   * @throws VfioException if the kernel refuses otherwise
   */
  public static OpenFile openGroup(HostDevice device) throws VfioException {
    Host host = Host.running();
    Admission.requireBound(host, device);
    Admission.requireIommu(host, device);
    Optional<DeviceNode> node =
        device.iommuGroup().isPresent()
            ? host.sysfs().group(device.iommuGroup().getAsInt()).node()
            : Optional.empty();
    if (node.isEmpty()) {
      throw new DeviceNotBoundException(
          "open", device.name(), null, "its group has no node, or this kernel has no groups");
    }
    try (Rollback rollback = new Rollback()) {
      Fd file =
          rollback.make(
              () ->
                  host.open(
                      node.get().path().toString(),
                      DeviceNotBoundException::new,
                      "sysfs names this node for the group of "
                          + device.name()
                          + ", but it is not there"),
              Fd::close);
      OpenNode.require(host.kernel(), file, node.get());
      return rollback.done(new OpenFile(file));
    }
  }

  /**
   * Makes one of memory.
   *
   * @param memory the memory
   * @return the file; the caller closes it
   * @throws IllegalStateException if the memory is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(MemoryFile memory) throws VfioException {
    return duplicate(memory.file());
  }

  /**
   * Makes one of the eventfd that an interrupt signals. Of all who wait for it, in whatever
   * process, one gets the signal.
   *
   * @param interrupt the interrupt
   * @return the file; the caller closes it
   * @throws IllegalArgumentException if the interrupt is not of this library
   * @throws IllegalStateException if the interrupt is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(Interrupt interrupt) throws VfioException {
    if (interrupt instanceof EventChannel.Source<?> source) {
      return duplicate(source.channel().file());
    }
    throw new IllegalArgumentException(interrupt + " is not an interrupt of this library");
  }

  /**
   * Makes one of the eventfd that unmasks an interrupt: whoever has it may signal it.
   *
   * @param resample the eventfd
   * @return the file; the caller closes it
   * @throws IllegalArgumentException if it is not of this library
   * @throws IllegalStateException if it is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(Interrupt.Resample resample) throws VfioException {
    if (resample instanceof IrqResample own) {
      return duplicate(own.file());
    }
    throw new IllegalArgumentException(resample + " is not of an interrupt of this library");
  }

  /**
   * Makes one of the eventfd that rings a doorbell: whoever has it may ring it, as long as the
   * doorbell is open here.
   *
   * @param doorbell the doorbell
   * @return the file; the caller closes it
   * @throws IllegalStateException if the doorbell is closed
   * @throws VfioException if the kernel refuses
   */
  public static OpenFile of(IoEventFd doorbell) throws VfioException {
    return duplicate(doorbell.file());
  }

  static OpenFile duplicate(Fd file) throws VfioException {
    Kernel kernel = RunningKernel.get();
    int number = file.acquire();
    try (Rollback rollback = new Rollback()) {
      Fd copy = rollback.make(() -> OpenNode.duplicate(kernel, number, file.object()), Fd::close);
      return rollback.done(new OpenFile(copy));
    } finally {
      file.release();
    }
  }

  /** Lends the file. */
  Fd file() {
    return file;
  }

  /**
   * Returns the number of the file. It is this object's: do not close it.
   *
   * @return the descriptor
   * @throws IllegalStateException if it is closed
   */
  public int fd() {
    int fd = file.acquire();
    file.release();
    return fd;
  }

  /**
   * Closes this descriptor. Later calls do nothing.
   *
   * @throws VfioException if the kernel tells of an error; it is closed all the same
   */
  @Override
  public void close() throws VfioException {
    Answer.require("close", file.object(), file.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return file.object();
  }
}
