/**
 * The host's devices as sysfs shows them, and the binding of a device to {@code vfio-pci}.
 *
 * <p>What is read is a snapshot, true at the moment of the call; reading makes no native call, and
 * loads no native handle. Writing makes system calls, in one class, for the sake of their error
 * numbers.
 */
package io.github.vfio4j.sysfs;
