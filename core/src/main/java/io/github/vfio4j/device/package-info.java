/**
 * The engine of devices: what is the same for every backend. Not exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.device.OpenDevice}: a device on a {@link
 *       io.github.vfio4j.channel.DeviceChannel}, with its regions ({@code DeviceRegion}), mappings
 *       ({@link io.github.vfio4j.device.MappedMemory}) and interrupts ({@code IrqVectors});
 *   <li>{@link io.github.vfio4j.device.DeviceFile}: the channel to a device of the kernel's;
 *   <li>{@link io.github.vfio4j.device.InfoReply} and {@link
 *       io.github.vfio4j.device.CapabilityChain}: reading replies that are not trusted.
 * </ul>
 */
package io.github.vfio4j.device;
