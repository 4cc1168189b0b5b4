package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.kvm.Irqfd;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.vmm.kvm.MessageRoute;
import org.jspecify.annotations.Nullable;

/**
 * A message of a device on its way to the guest: VFIO signals an eventfd, KVM listens to it.
 *
 * <p>While the guest masks it nobody listens: the eventfd counts what comes, and KVM finds that
 * when it listens again.
 */
final class MessageVector {
  private final Interrupt interrupt;
  private final KvmVm kvm;
  private final MessageRoute route;
  private @Nullable Irqfd connection;

  MessageVector(Interrupt interrupt, KvmVm kvm, MessageRoute route) {
    this.interrupt = interrupt;
    this.kvm = kvm;
    this.route = route;
  }

  /** Lets it through, as the message that the guest wants. */
  void deliver(long address, int data) throws VfioException {
    route.set(address, data);
    if (connection == null) {
      connection = kvm.connect(interrupt, route.gsi());
    }
  }

  /** Holds it back. */
  void mask() throws VfioException {
    if (connection != null) {
      connection.close();
      connection = null;
    }
  }

  void close(Closing closing) {
    closing.attempt(this::mask);
    closing.attempt(route::close);
    closing.attempt(interrupt::close);
  }
}
