package io.github.vfio4j.kvm;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_ioeventfd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A write of a guest that rings a doorbell of a device; {@link KvmVm#connect(GuestWrite,
 * io.github.vfio4j.pci.IoEventFd)} makes it.
 *
 * <p>It holds the doorbell's eventfd: once the doorbell is closed, what the guest writes there gets
 * lost, until this is closed. Thread-safe.
 */
public final class KvmIoEventFd implements AutoCloseable {
  private final KvmVm machine;
  private final Fd event;
  private final GuestWrite write;
  private final String object;
  private boolean connected;
  private boolean closed;

  /**
   * Makes room for a connection; {@link #connect} comes next.
   *
   * @param event room for a descriptor of its own of the doorbell's eventfd
   */
  KvmIoEventFd(KvmVm machine, Fd event, GuestWrite write) {
    this.machine = machine;
    this.event = event;
    this.write = write;
    this.object = write + " of " + machine;
  }

  /** Connects it, once, unless it has been closed. */
  synchronized void connect(Fd doorbell) throws VfioException {
    if (closed) {
      throw new IllegalStateException(machine + " is closed");
    }
    machine.duplicate(doorbell, event);
    int answer = ask(0);
    if (answer < 0) {
      throw Answer.failure(Ioctl.KVM_IOEVENTFD, object, answer, whyNot(answer));
    }
    connected = true;
  }

  private static String whyNot(int answer) {
    if (Answer.is(answer, Errno.EEXIST)) {
      return "the machine has one for such a write already";
    }
    return Answer.is(answer, Errno.ENOSPC)
        ? "the machine has as many as the kernel allows"
        : KvmVm.anotherProcess(answer);
  }

  private int ask(int flags) {
    int space = write.port() ? kvm_h.KVM_IOEVENTFD_FLAG_PIO : 0;
    int match = write.data().isPresent() ? kvm_h.KVM_IOEVENTFD_FLAG_DATAMATCH : 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(kvm_ioeventfd.LAYOUT);
      kvm_ioeventfd.addr(request, write.address());
      kvm_ioeventfd.len(request, write.bytes());
      kvm_ioeventfd.datamatch(request, write.data().orElse(0));
      kvm_ioeventfd.flags(request, flags | space | match);
      return event.call(
          number -> {
            kvm_ioeventfd.fd(request, number);
            return machine.ioctl(Ioctl.KVM_IOEVENTFD, request);
          });
    }
  }

  /**
   * Returns what the guest writes.
   *
   * @return the write
   */
  public GuestWrite write() {
    return write;
  }

  /**
   * Ends the connection; {@code KVM_IOEVENTFD} with {@code KVM_IOEVENTFD_FLAG_DEASSIGN}. What the
   * guest writes there ends a run of its processor again. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; it is connected still then, and may be closed
   *     again
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    if (connected) {
      Answer.require(Ioctl.KVM_IOEVENTFD, object, ask(kvm_h.KVM_IOEVENTFD_FLAG_DEASSIGN));
    }
    closed = true;
    machine.forget(this);
    Answer.require("close", object, event.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "ioeventfd by " + object;
  }
}
