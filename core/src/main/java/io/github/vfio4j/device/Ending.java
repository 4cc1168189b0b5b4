package io.github.vfio4j.device;

/** When something that belongs to a device ends, while the device is closed. */
public enum Ending {
  /**
   * Before all else, with no lock held: what takes the lock of an address space itself, as memory
   * of the device that is mapped there. Once it begins, nothing more of it is made.
   */
  FIRST,

  /** Before the device's file is closed: what keeps that busy, or would outlive it. */
  BEFORE,

  /**
   * Once the device's file is closed: what the kernel ends with it, so that only ours is left.
   * Where others may have that file, too, it ends first.
   */
  AFTER
}
