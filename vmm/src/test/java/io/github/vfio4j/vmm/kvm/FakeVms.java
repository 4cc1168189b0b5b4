package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Fd;

/** Makes virtual machines on a host of a test's own. */
public final class FakeVms {
  private static final int O_RDWR = 2;

  private FakeVms() {}

  public static Vm open(FakeMachine host) {
    Fd file = new Fd(host.kernel, "virtual machine");
    file.take(host.kernel.open(FakeMachine.VM, O_RDWR));
    return new Vm(host.kernel, file, host.kernel.pageSize());
  }
}
