package io.github.vfio4j.kerneltests.selftests;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.kerneltests.selftests.SelftestProgram.Case;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Optional;
import org.opentest4j.TestAbortedException;

/**
 * What this library does where the kernel's programs have a case.
 *
 * @param kernels the kernel's case
 * @param ours a static method that is given a {@link Variant}
 */
public record Counterpart(Case kernels, Method ours) {
  /**
   * How it ended.
   *
   * @param outcome the same in the kernel's words
   * @param why what it threw, if it failed
   */
  record Ended(Outcome outcome, Optional<Throwable> why) {}

  public IommuMode mode() {
    return IommuMode.of(kernels.variant());
  }

  /** Throws what our case throws. */
  public void run(List<PciAddress> devices) throws Throwable {
    try {
      ours.invoke(null, new Variant(kernels.variant(), devices));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** Runs it; whatever it throws is how it ended. */
  Ended end(List<PciAddress> devices) {
    try {
      run(devices);
      return new Ended(Outcome.PASSED, Optional.empty());
    } catch (TestAbortedException e) {
      return new Ended(Outcome.SKIPPED, Optional.of(e));
    } catch (Throwable e) {
      return new Ended(Outcome.FAILED, Optional.of(e));
    }
  }

  @Override
  public String toString() {
    return kernels.toString();
  }
}
