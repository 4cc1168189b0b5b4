/**
 * The host's devices as sysfs shows them, and the binding of a device to {@code vfio-pci}.
 *
 * <p>Everything here reads and writes plain files: no native call is made and no native handle is
 * loaded. What is read is a snapshot, true at the moment of the call.
 */
package io.github.vfio4j.sysfs;
