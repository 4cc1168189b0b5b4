package io.github.vfio4j.kvm;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Dependents;

/**
 * A device, or a group of devices, that a virtual machine knows. The kernel holds its file
 * meanwhile, so this ends before the device is closed, which sees to it. Thread-safe.
 */
public final class KvmVfioFile implements AutoCloseable {
  private final KvmVfio vfio;
  private final Fd file;
  private final Dependents registrations;
  private final String object;
  private boolean added;
  private boolean closed;

  /**
   * Makes room for an entry; {@link #add} comes next.
   *
   * @param file room for a descriptor of its own of the file that the kernel holds
   */
  KvmVfioFile(KvmVfio vfio, Fd file, Dependents registrations, String object) {
    this.vfio = vfio;
    this.file = file;
    this.registrations = registrations;
    this.object = object;
  }

  /** Has the machine know it, once, unless this has been closed. */
  synchronized void add(Fd known) throws VfioException {
    if (closed) {
      throw new IllegalStateException(object + " is closed");
    }
    vfio.machine().duplicate(known, file);
    int answer = set(kvm_h.KVM_DEV_VFIO_FILE_ADD);
    if (Answer.is(answer, Errno.EEXIST)) {
      throw new DeviceBusyException(
          Ioctl.KVM_SET_DEVICE_ATTR.name(), object, Errno.EEXIST, "the machine has it already");
    }
    if (answer < 0) {
      throw Answer.failure(
          Ioctl.KVM_SET_DEVICE_ATTR,
          object,
          answer,
          Answer.is(answer, Errno.EINVAL)
              ? "this kernel takes groups alone here (Linux 6.6 was the first that took devices)"
              : KvmVm.anotherProcess(answer));
    }
    added = true;
  }

  private int set(int attribute) {
    return file.call(number -> vfio.set(attribute, number));
  }

  /**
   * Takes it from the machine; {@code KVM_DEV_VFIO_FILE_DEL}. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the machine has it still then, until this is
   *     closed again, or {@link KvmVfio} is
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    int answer = added && !vfio.isClosed() ? remove() : 0;
    if (answer < 0 && !Answer.is(answer, Errno.ENOENT)) {
      throw Answer.failure(Ioctl.KVM_SET_DEVICE_ATTR, object, answer);
    }
    closed = true;
    registrations.remove(this);
    vfio.forget(this);
    Answer.require("close", object, file.close(), "");
  }

  private int remove() {
    try {
      return set(kvm_h.KVM_DEV_VFIO_FILE_DEL);
    } catch (IllegalStateException closedMeanwhile) {
      return 0; // the kernel has let go of all
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return object;
  }
}
