/**
 * What the author of a driver meets, wherever a device comes from. This package knows no backend.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.VfioDevice}: an open device, with its registers and interrupts;
 *   <li>{@link io.github.vfio4j.IoAddressSpace}: the memory that devices see;
 *   <li>{@link io.github.vfio4j.PciAddress} and {@link io.github.vfio4j.HostDevice}: what is
 *       opened;
 *   <li>{@link io.github.vfio4j.VfioException}: what failed, on what, and the kernel's reason.
 * </ul>
 */
package io.github.vfio4j;
