package io.github.vfio4j.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_create_device;
import io.github.vfio4j.bindings.kvm_device_attr;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.container.Group;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The devices of a virtual machine, as the kernel keeps them: KVM's device of the type VFIO.
 *
 * <p>KVM asks VFIO whether these devices are coherent with the caches, and devices that have to
 * know the machine (some mediated ones, and those of other architectures) get to know it when they
 * are opened. So a device is added before: on iommufd between its two steps, {@link UnboundDevice}
 * and {@link io.github.vfio4j.iommufd.Iommufd#bind(UnboundDevice)}; on the legacy interface its
 * {@link io.github.vfio4j.container.Container#group group}, before a device of it is opened.
 *
 * <p>Thread-safe. {@link KvmVm#createVfio} makes one; the machine owns it. After {@link #close}
 * methods throw {@link IllegalStateException}.
 */
public final class KvmVfio implements AutoCloseable {
  private final KvmVm machine;
  private final Fd file;
  private final Dependents files = new Dependents();

  /**
   * Makes room for it; {@link #create} comes next.
   *
   * @param file room for its file
   */
  KvmVfio(KvmVm machine, Fd file) {
    this.machine = machine;
    this.file = file;
  }

  /** Asks the kernel for it, once, unless it has been closed. */
  synchronized void create() throws VfioException {
    if (isClosed()) {
      throw new IllegalStateException(machine + " is closed");
    }
    int answer;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(kvm_create_device.LAYOUT);
      kvm_create_device.type(request, kvm_h.KVM_DEV_TYPE_VFIO);
      answer = machine.ioctl(Ioctl.KVM_CREATE_DEVICE, request);
      if (answer >= 0) {
        file.take(kvm_create_device.fd(request));
      }
    }
    if (Answer.is(answer, Errno.ENODEV)) {
      throw new UnsupportedByKernelException(
          Ioctl.KVM_CREATE_DEVICE.name(),
          machine.toString(),
          Errno.ENODEV,
          "this kernel's KVM knows nothing of VFIO (CONFIG_KVM_VFIO)");
    }
    if (answer < 0) {
      throw Answer.failure(
          Ioctl.KVM_CREATE_DEVICE,
          machine.toString(),
          answer,
          Answer.is(answer, Errno.EBUSY) ? "it has one already" : KvmVm.anotherProcess(answer));
    }
  }

  /**
   * Tells the machine of a device, before it is bound; {@code KVM_SET_DEVICE_ATTR} with {@code
   * KVM_DEV_VFIO_FILE_ADD}.
   *
   * @param device the device's open node
   * @return the entry; it ends when the device is closed, or this is, or when it is closed itself
   * @throws IllegalStateException if the node is closed, or the device is bound already: then it
   *     would never get to know the machine
   * @throws DeviceBusyException if the machine has it already
   * @throws VfioException if the kernel refuses otherwise, as a kernel before Linux 6.6 does
   */
  public KvmVfioFile add(UnboundDevice device) throws VfioException {
    synchronized (device) { // so that it is neither bound nor closed meanwhile
      return add(device.file(), device.registrations(), device.device().name());
    }
  }

  /**
   * Tells the machine of a group of the legacy interface, before a device of it is opened; {@code
   * KVM_SET_DEVICE_ATTR} with {@code KVM_DEV_VFIO_FILE_ADD}.
   *
   * @param group the group, in its container
   * @return the entry; it ends when the group is closed, or this is, or when it is closed itself
   * @throws IllegalStateException if the group is closed, or a device of it is open already: that
   *     one would never get to know the machine
   * @throws DeviceBusyException if the machine has it already
   * @throws VfioException if the kernel refuses otherwise
   */
  public KvmVfioFile add(Group group) throws VfioException {
    synchronized (group) { // so that no device of it is opened meanwhile
      if (group.hasOpenDevice()) {
        throw new IllegalStateException(
            "a device of " + group + " is open already; what is to know of it before comes before");
      }
      return add(group.file(), group.registrations(), group.toString());
    }
  }

  private KvmVfioFile add(Fd added, Dependents registrations, String name) throws VfioException {
    String object = name + " in " + file;
    KvmVfioFile entry = new KvmVfioFile(this, machine.room(name), registrations, object);
    added.acquire(); // its owner closes it after this, and then what has been registered
    try (Rollback rollback = new Rollback()) {
      rollback.add(entry::close);
      if (!files.addBeforeEnd(entry, entry::close)) {
        throw new IllegalStateException(file + " is closed");
      }
      registrations.add(entry, entry::close);
      entry.add(added);
      return rollback.done(entry);
    } finally {
      added.release();
    }
  }

  /** Adds or removes a file, and answers as the kernel does. */
  int set(int attribute, int number) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocateFrom(JAVA_INT, number);
      MemorySegment request = arena.allocate(kvm_device_attr.LAYOUT);
      kvm_device_attr.group(request, kvm_h.KVM_DEV_VFIO_FILE);
      kvm_device_attr.attr(request, attribute);
      kvm_device_attr.addr(request, argument.address());
      return file.ioctl(Ioctl.KVM_SET_DEVICE_ATTR, request);
    }
  }

  KvmVm machine() {
    return machine;
  }

  /** Returns whether closing has begun, after which the kernel has none of the files. */
  boolean isClosed() {
    return file.isClosed();
  }

  void forget(KvmVfioFile entry) {
    files.remove(entry);
  }

  /**
   * Takes all devices from the machine. Later calls do nothing.
   *
   * @throws VfioException the first failure, with the others attached; what the kernel has kept it
   *     lets go with this
   */
  @Override
  public synchronized void close() throws VfioException {
    Closing closing = new Closing();
    files.end();
    files.close(closing);
    closing.attempt(() -> Answer.require("close", file.object(), file.close(), ""));
    files.close(closing);
    machine.forget(this);
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return file.object();
  }
}
