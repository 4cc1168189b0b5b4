package io.github.vfio4j.kvm;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.device.IrqResample;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.pci.IoEventFd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine of KVM, by the file that {@code KVM_CREATE_VM} gives. This library tells it of
 * devices, and of their interrupts; all else is the virtual machine monitor's.
 *
 * <p>It has to be a machine of this process: of another's the kernel takes no orders. Thread-safe.
 * Closing it ends what was made from it, and leaves the machine. After it methods throw {@link
 * IllegalStateException}.
 */
public final class KvmVm implements AutoCloseable {
  private static final String NAME = "anon_inode:kvm-vm";

  private final Kernel kernel;
  private final Fd file;
  private final Dependents dependents = new Dependents();

  /** Takes over the file of a virtual machine. */
  KvmVm(Kernel kernel, Fd file) {
    this.kernel = kernel;
    this.file = file;
  }

  /**
   * Uses a virtual machine of this process.
   *
   * @param fd the number of its open file; it is duplicated, so the caller's stays the caller's
   * @return the machine; the caller closes it
   * @throws NoSuchDeviceException if the file is not a virtual machine's
   * @throws VfioException if the number is not an open file of this process
   */
  public static KvmVm ofFd(int fd) throws VfioException {
    return ofFd(RunningKernel.get(), fd);
  }

  static KvmVm ofFd(Kernel kernel, int fd) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> OpenNode.duplicate(kernel, fd), Fd::close);
      String actual = file.call(KvmVm::isVm) == 1 ? NAME : "";
      if (actual.isEmpty()) {
        throw new NoSuchDeviceException(
            "readlink", file.object(), null, "it is not the file of a virtual machine of KVM");
      }
      file.rename("virtual machine, file " + fd);
      return rollback.done(new KvmVm(kernel, file));
    }
  }

  /** The kernel gives no other file this name. */
  private static int isVm(int fd) {
    try {
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
      return target.toString().equals(NAME) ? 1 : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  /**
   * Makes what the kernel keeps the devices of this machine in; {@code KVM_CREATE_DEVICE}.
   *
   * @return the list, which is empty; this machine owns it
   * @throws DeviceBusyException if the machine has one already: a kernel makes one only
   * @throws UnsupportedByKernelException if this kernel has none (Linux 3.13 with CONFIG_KVM_VFIO
   *     was the first)
   * @throws VfioException if the kernel refuses otherwise; EIO says that the machine is another
   *     process's
   */
  public KvmVfio createVfio() throws VfioException {
    KvmVfio vfio = new KvmVfio(this, room("devices of " + file));
    try (Rollback rollback = new Rollback()) {
      rollback.add(vfio::close);
      own(vfio, vfio::close);
      vfio.create();
      return rollback.done(vfio);
    }
  }

  static String anotherProcess(int answer) {
    return Answer.is(answer, Errno.EIO) ? "the machine was made by another process" : "";
  }

  /**
   * Has an interrupt of a device raise one of the guest's, without a way through this process;
   * {@code KVM_IRQFD}. From now on nothing arrives at the interrupt itself.
   *
   * @param interrupt the device's
   * @param gsi the guest's: a number that the machine's routing table knows
   * @return the connection; the caller closes it, or this machine does
   * @throws IllegalArgumentException if the interrupt is not of this library
   * @throws IllegalStateException if the interrupt is closed
   * @throws DeviceBusyException if the interrupt is connected already
   * @throws VfioException if the kernel refuses; EINVAL on x86 and EAGAIN elsewhere say that the
   *     machine has no interrupt controller yet
   */
  public Irqfd connect(Interrupt interrupt, int gsi) throws VfioException {
    return connect(interrupt, gsi, (Fd) null);
  }

  /**
   * Has an interrupt that stays up until it is dealt with, as INTx does, raise one of the guest's,
   * and tells when the guest has dealt with it; {@code KVM_IRQFD} with {@code
   * KVM_IRQFD_FLAG_RESAMPLE}. The guest's stays up until then.
   *
   * @param interrupt the device's
   * @param gsi the guest's, of a kind that is acknowledged: a pin of an interrupt controller
   * @param resample is signalled when the guest has acknowledged it; the device's is to be unmasked
   *     then
   * @return the connection; the caller closes it, or this machine does
   * @throws IllegalArgumentException if the interrupt is not of this library
   * @throws IllegalStateException if the interrupt or the event is closed
   * @throws VfioException as {@link #connect(Interrupt, int)}
   */
  public Irqfd connect(Interrupt interrupt, int gsi, @Nullable ResampleEvent resample)
      throws VfioException {
    return connect(interrupt, gsi, resample == null ? null : resample.event().fd());
  }

  /**
   * Has an interrupt that the kernel masks when it is raised, as INTx is, raise one of the guest's,
   * and be unmasked when the guest has dealt with it; {@code KVM_IRQFD} with {@code
   * KVM_IRQFD_FLAG_RESAMPLE}. Nothing of it goes through this process.
   *
   * <p>A guest that never deals with it leaves it masked, also when the connection is closed: then
   * {@link Interrupt#unmask} has it arrive here again.
   *
   * @param interrupt the device's
   * @param gsi the guest's, of a kind that is acknowledged: a pin of an interrupt controller
   * @param resample what unmasks the interrupt, its {@link Interrupt#resample}; it may be closed
   *     while it is connected, and unmasks nothing then
   * @return the connection; the caller closes it, or this machine does
   * @throws IllegalArgumentException if the interrupt is not of this library, or the other not of
   *     this interrupt
   * @throws IllegalStateException if one of both is closed
   * @throws VfioException as {@link #connect(Interrupt, int)}
   */
  public Irqfd connect(Interrupt interrupt, int gsi, Interrupt.Resample resample)
      throws VfioException {
    if (resample instanceof IrqResample own && own.isOf(interrupt)) {
      return connect(interrupt, gsi, own.file());
    }
    throw new IllegalArgumentException(resample + " does not unmask " + interrupt);
  }

  private Irqfd connect(Interrupt interrupt, int gsi, @Nullable Fd resample) throws VfioException {
    if (!(interrupt instanceof EventChannel.Source<?> source)) {
      throw new IllegalArgumentException(interrupt + " is not an interrupt of this library");
    }
    Fd event = source.channel().file();
    Irqfd irqfd = new Irqfd(this, room(event), gsi, interrupt + " to " + file);
    try (Rollback rollback = new Rollback()) {
      rollback.add(irqfd::close);
      own(irqfd, irqfd::close);
      irqfd.connect(event, resample);
      return rollback.done(irqfd);
    }
  }

  /**
   * Has a write of the guest ring a doorbell of a device, without a way through this process;
   * {@code KVM_IOEVENTFD}. The guest's processor goes on meanwhile, and nobody is told of the
   * write.
   *
   * <p>A doorbell writes one value. So the write is mostly one of that value and that length, and a
   * register that takes several values has a doorbell and a write for each.
   *
   * @param write what the guest writes where
   * @param doorbell what it rings
   * @return the connection; the caller closes it, or this machine does
   * @throws IllegalStateException if the doorbell is closed
   * @throws VfioException if the kernel refuses: EEXIST says that the machine has one for such a
   *     write already, ENOSPC that it has as many as the kernel allows, EIO that the machine is
   *     another process's
   */
  public KvmIoEventFd connect(GuestWrite write, IoEventFd doorbell) throws VfioException {
    Fd event = doorbell.file();
    KvmIoEventFd connection = new KvmIoEventFd(this, room(event), write);
    try (Rollback rollback = new Rollback()) {
      rollback.add(connection::close);
      own(connection, connection::close);
      connection.connect(event);
      return rollback.done(connection);
    }
  }

  /**
   * Has something end with this machine: it is empty, and the kernel is asked for it after this.
   */
  private void own(Object made, Step closing) {
    if (!dependents.addBeforeEnd(made, closing)) {
      throw new IllegalStateException(file + " is closed");
    }
  }

  /** Returns room for a file that is about to be opened, with the name that messages call it. */
  Fd room(Object name) {
    return new Fd(kernel, name);
  }

  /** Duplicates an open file into a place that has been made for it. */
  void duplicate(Fd from, Fd into) throws VfioException {
    int answer = from.call(number -> into.take(kernel.duplicate(number)));
    Answer.require("fcntl", from.object(), answer, "");
  }

  int ioctl(Ioctl operation, MemorySegment request) {
    return file.ioctl(operation, request);
  }

  void forget(Object dependent) {
    dependents.remove(dependent);
  }

  /**
   * Ends all connections, takes all devices from the machine, and lets go of it. Later calls do
   * nothing, unless the kernel has refused to end something: then they try again.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed, and the machine is held as long as something is left
   */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    dependents.end();
    if (dependents.close(closing)) {
      closing.attempt(() -> Answer.require("close", file.object(), file.close(), ""));
    }
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return file.object();
  }
}
