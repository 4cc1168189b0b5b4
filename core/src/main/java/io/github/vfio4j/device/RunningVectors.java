package io.github.vfio4j.device;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;

/** Is shown the enabled vectors of a device. */
@FunctionalInterface
public interface RunningVectors {
  /** Looks at one, whose eventfd stays open meanwhile. */
  void visit(int index, Interrupt vector, Fd event) throws VfioException;
}
