package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.VfioException;

/** One of the ways in which a device interrupts, of which the guest uses one at a time. */
interface InterruptKind {
  /** Returns whether the guest has chosen it. */
  boolean isChosen();

  /** Does what the guest wants of it now, where it is chosen and the others have been stopped. */
  void refresh() throws VfioException;

  /** Stops it. Does nothing where it is not in use. */
  void stop() throws VfioException;
}
