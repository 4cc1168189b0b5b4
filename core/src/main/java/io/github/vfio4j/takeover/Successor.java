package io.github.vfio4j.takeover;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;

/** Is shown the files that another process needs. */
@FunctionalInterface
public interface Successor {
  /** Looks at one, which stays open meanwhile. */
  void needs(Fd file) throws VfioException;
}
