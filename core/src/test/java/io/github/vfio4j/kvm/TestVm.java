package io.github.vfio4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Step;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A virtual machine of a monitor, which goes on when the library has let go of it. */
final class TestVm {
  /** Makes something of the machine's. */
  @FunctionalInterface
  interface Making {
    AutoCloseable run() throws VfioException;
  }

  final FakeMachine host;
  private final Fd file;

  TestVm(FakeMachine host) {
    this.host = host;
    file = new Fd(host.kernel, "the monitor's machine");
    assertThat(file.take(host.kernel.open(FakeMachine.VM, 0))).isNotNegative();
  }

  /** Returns the machine, as the library has it when it has proved what the file is. */
  KvmVm open() throws VfioException {
    Fd copy = new Fd(host.kernel, "a machine");
    file.call(number -> copy.take(host.kernel.duplicate(number)));
    return new KvmVm(host.kernel, copy);
  }

  void close() {
    assertThat(file.close()).isZero();
  }

  /** Makes something again and again, with another call that fails each time. */
  void assertUndone(Making making, int steps) throws Exception {
    List<String> before = host.kernel.leftOpen();
    int failures = 0;
    boolean failed = true;
    for (int call = 1; failed; call++) {
      host.kernel.failCall(call, Errno.EIO);
      AutoCloseable made = null;
      try {
        made = making.run();
      } catch (VfioException e) {
        assertThat(e.errno()).contains(Errno.EIO);
        failures++;
      }
      failed = host.kernel.hasFailed();
      host.kernel.failCall(-1, Errno.EIO);
      assertThat(made == null).isEqualTo(failed);
      if (made != null) {
        made.close();
      }
      assertThat(host.kernel.leftOpen()).as("after call %d failed", call).isEqualTo(before);
    }
    assertThat(failures).isEqualTo(steps);

    for (int call = 1; call <= steps; call++) {
      Error error = new LinkageError("not linked, for a test");
      host.kernel.throwFromCall(call, error);
      assertThatThrownBy(making::run).isSameAs(error);
      assertThat(host.kernel.leftOpen()).as("after call %d threw", call).isEqualTo(before);
    }
    host.kernel.failCall(-1, Errno.EIO);
  }

  /**
   * Makes something while its owner is being closed, which begins when the kernel has been asked,
   * and has to wait for it then.
   */
  void makeWhileClosing(Ioctl asked, Making making, Step closing) throws Exception {
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    Thread closer =
        new Thread(
            () -> {
              try {
                closing.run();
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    host.kernel.tamper(
        (operation, reply) -> {
          if (operation == asked && closer.getState() == Thread.State.NEW) {
            closer.start();
            awaitWaiting(closer);
          }
        });
    making.run();
    closer.join();
    assertThat(thrown.get()).isNull();
  }

  private static void awaitWaiting(Thread thread) {
    while (thread.getState() == Thread.State.RUNNABLE) {
      Thread.onSpinWait();
    }
    assertThat(thread.getState()).isIn(Thread.State.BLOCKED, Thread.State.WAITING);
  }
}
