package io.github.vfio4j.iommufd;

/**
 * Against whose limit of locked memory an {@link Iommufd} counts what it pins. Of a process with
 * the capability CAP_IPC_LOCK, as root has it, nothing is counted against any.
 */
public enum RlimitMode {
  /** Against the user's: all processes of a user share one count. The kernel's default. */
  USER,

  /** Against the process's, as the legacy interface does. */
  PROCESS
}
