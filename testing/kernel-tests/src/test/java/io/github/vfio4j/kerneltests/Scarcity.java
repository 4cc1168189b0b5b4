package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.util.List;

/** Repeats an operation until each allocation that it makes in the kernel has failed once. */
final class Scarcity {
  /** More allocations than an operation has. */
  private static final int MOST = 1000;

  /**
   * Not all of the kernel calls it by its name: iommufd also pretends that an object or a page is
   * not there, and where there is no memory for a file or an interrupt, there is no room.
   */
  private static final List<Errno> ANSWERS =
      List.of(Errno.ENOMEM, Errno.ENOENT, Errno.EFAULT, Errno.EINVAL, Errno.ENOSPC);

  private Scarcity() {}

  /** What is done when memory is scarce. */
  interface Operation {
    void run() throws VfioException;
  }

  /** Runs something while an allocation fails, and tells whether it was refused. */
  interface Trial {
    boolean refused(int failing) throws IOException;
  }

  /** Lets each allocation fail in turn, the first time none, until there is none left to fail. */
  static void each(ScarceKernel scarce, Trial trial) throws IOException {
    int refusals = 0;
    for (int n = 0; n <= 1 || scarce.hasFailed(); n++) {
      assertThat(n).isLessThan(MOST);
      if (trial.refused(n)) {
        refusals++;
      }
    }
    assertThat(refusals).isPositive();
  }

  /** Runs an operation, and tells whether it was refused, as may be only when something failed. */
  static boolean refused(ScarceKernel scarce, Operation operation) {
    try {
      operation.run();
      return false;
    } catch (VfioException e) {
      assertThat(scarce.hasFailed()).as("%s, when nothing failed", e).isTrue();
      assertThat(e.errno().orElseThrow()).as(e.getMessage()).isIn(ANSWERS);
      return true;
    }
  }

  /** An operation that needs nothing, and ends all that it has made. */
  interface Whole {
    void run(Kernel kernel) throws VfioException;
  }

  static void sweep(Whole operation) throws IOException {
    try (ScarceKernel scarce = new ScarceKernel()) {
      Kernel kernel = scarce.kernel();
      each(
          scarce,
          n -> {
            scarce.failAllocation(n);
            boolean refused = refused(scarce, () -> operation.run(kernel));
            scarce.stop();
            assertThat(LockedMemory.bytes()).as("after allocation %d failed", n).isZero();
            if (refused) {
              operation.run(kernel);
            }
            return refused;
          });
    }
  }
}
