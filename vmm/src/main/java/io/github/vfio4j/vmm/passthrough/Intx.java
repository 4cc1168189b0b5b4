package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.kvm.Irqfd;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import org.jspecify.annotations.Nullable;

/**
 * INTx: a line that stays up until the guest has served the device. VFIO masks it at the device
 * when it is raised, and unmasks it when the guest has acknowledged it: the two kernels' parts do
 * that between them.
 */
final class Intx implements InterruptKind {
  private record Line(Interrupt interrupt, Interrupt.Resample resample, Irqfd connection) {}

  private final IrqIndex irqs;
  private final KvmVm kvm;
  private final int gsi;
  private @Nullable Line line;

  Intx(IrqIndex irqs, KvmVm kvm, int gsi) {
    this.irqs = irqs;
    this.kvm = kvm;
    this.gsi = gsi;
  }

  @Override
  public boolean isChosen() {
    return true; // where none of the others is
  }

  @Override
  public void refresh() throws VfioException {
    if (line != null) {
      return;
    }
    try (Rollback rollback = new Rollback()) {
      Interrupt interrupt = rollback.make(() -> irqs.enable(0), Interrupt::close);
      Interrupt.Resample resample = rollback.make(interrupt::resample, Interrupt.Resample::close);
      Irqfd connection = rollback.make(() -> kvm.connect(interrupt, gsi, resample), Irqfd::close);
      line = rollback.done(new Line(interrupt, resample, connection));
    }
  }

  @Override
  public void stop() throws VfioException {
    Line stopped = line;
    if (stopped != null) {
      Closing closing = new Closing();
      closing.attempt(stopped.connection::close);
      closing.attempt(stopped.resample::close);
      closing.attempt(stopped.interrupt::close);
      line = null;
      closing.rethrow();
    }
  }
}
