package io.github.vfio4j.kvm;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
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
  private boolean closed;

  /**
   * Makes an entry.
   *
   * @param file a descriptor of its own of the file that the kernel holds
   */
  KvmVfioFile(KvmVfio vfio, Fd file, Dependents registrations, String object) {
    this.vfio = vfio;
    this.file = file;
    this.registrations = registrations;
    this.object = object;
  }

  /**
   * Takes it from the machine; {@code KVM_DEV_VFIO_FILE_DEL}. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the machine has it until {@link KvmVfio} is closed
   *     then
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    Closing closing = new Closing();
    closing.attempt(this::remove);
    closing.attempt(() -> Answer.require("close", object, file.close(), ""));
    registrations.remove(this);
    vfio.forget(this);
    closing.rethrow();
  }

  private void remove() throws VfioException {
    if (vfio.isClosed()) {
      return;
    }
    int answer = file.call(number -> vfio.set(kvm_h.KVM_DEV_VFIO_FILE_DEL, number));
    if (answer < 0 && !Answer.is(answer, Errno.ENOENT)) {
      throw Answer.failure(Ioctl.KVM_SET_DEVICE_ATTR, object, answer);
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return object;
  }
}
