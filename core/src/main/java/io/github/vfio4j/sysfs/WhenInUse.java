package io.github.vfio4j.sysfs;

/** What to do with a device that the running system uses, as {@link Sysfs#uses} tells. */
public enum WhenInUse {
  /** Refuse to take it away. */
  REFUSE,
  /** Take it away: file systems, swap space and network connections on it are lost. */
  TAKE
}
