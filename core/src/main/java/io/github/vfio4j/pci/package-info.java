/**
 * What the kernel's PCI drivers do for a device beyond what {@link io.github.vfio4j.PciFunction}
 * shows of it:
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.pci.HotReset}: resets all devices of a slot or bus, and tells which
 *       those are and who has them;
 *   <li>{@link io.github.vfio4j.pci.IoEventFd}: a register that the kernel writes when an eventfd
 *       is signalled;
 *   <li>{@link io.github.vfio4j.pci.LowPower}: lets a device sleep, and tells when it wakes up;
 *   <li>{@link io.github.vfio4j.pci.VfToken}: the secret that the users of an SR-IOV device's
 *       functions share.
 * </ul>
 */
package io.github.vfio4j.pci;
