package io.github.vfio4j.kvm;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_irqfd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A connection from an interrupt of a device to one of a guest's; {@link KvmVm#connect} makes it.
 *
 * <p>It holds the interrupt's eventfd, and does nothing once the interrupt is closed. Thread-safe.
 */
public final class Irqfd implements AutoCloseable {
  private final KvmVm machine;
  private final Fd event;
  private final int gsi;
  private final String object;
  private boolean connected;
  private boolean closed;

  /**
   * Makes room for a connection; {@link #connect} comes next.
   *
   * @param event room for a descriptor of its own of the interrupt's eventfd
   */
  Irqfd(KvmVm machine, Fd event, int gsi, String object) {
    this.machine = machine;
    this.event = event;
    this.gsi = gsi;
    this.object = object;
  }

  /** Connects it, once, unless it has been closed. */
  synchronized void connect(Fd interrupt, @Nullable Fd resample) throws VfioException {
    if (closed) {
      throw new IllegalStateException(machine + " is closed");
    }
    machine.duplicate(interrupt, event);
    int answer =
        resample == null
            ? ask(0, 0)
            : resample.call(number -> ask(kvm_h.KVM_IRQFD_FLAG_RESAMPLE, number));
    if (answer < 0) {
      throw Answer.failure(Ioctl.KVM_IRQFD, object, answer, whyNot(answer));
    }
    connected = true;
  }

  private String whyNot(int answer) {
    if (Answer.is(answer, Errno.EAGAIN)) {
      return "the machine has no interrupt controller in the kernel yet";
    }
    if (Answer.is(answer, Errno.EBUSY)) {
      return "the interrupt is connected to a machine already";
    }
    return Answer.is(answer, Errno.EINVAL)
        ? "the machine has no interrupt controller in the kernel yet, or a split one, which takes no"
            + " resampling"
        : KvmVm.anotherProcess(answer);
  }

  private int ask(int flags, int resample) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(kvm_irqfd.LAYOUT);
      kvm_irqfd.gsi(request, gsi);
      kvm_irqfd.flags(request, flags);
      kvm_irqfd.resamplefd(request, resample);
      return event.call(
          number -> {
            kvm_irqfd.fd(request, number);
            return machine.ioctl(Ioctl.KVM_IRQFD, request);
          });
    }
  }

  /**
   * Returns which interrupt of the guest it raises.
   *
   * @return its number in the machine's routing table
   */
  public int gsi() {
    return gsi;
  }

  /**
   * Ends the connection; {@code KVM_IRQFD} with {@code KVM_IRQFD_FLAG_DEASSIGN}. What the device
   * raises arrives at the interrupt again. Later calls do nothing.
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
      Answer.require(Ioctl.KVM_IRQFD, object, ask(kvm_h.KVM_IRQFD_FLAG_DEASSIGN, 0));
    }
    closed = true;
    machine.forget(this);
    Answer.require("close", object, event.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "irqfd from " + object + ", interrupt " + Integer.toUnsignedString(gsi);
  }
}
