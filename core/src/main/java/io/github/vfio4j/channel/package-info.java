/**
 * What a backend must do: the seam below everything that users see. Not exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.channel.DeviceChannel}: one open device;
 *   <li>{@link io.github.vfio4j.channel.AddressSpaceChannel}: one IO address space;
 *   <li>{@link io.github.vfio4j.channel.EventChannel}: one source of events, with its {@link
 *       io.github.vfio4j.channel.Subscriber}.
 * </ul>
 *
 * <p>The container/group interface, iommufd, and the device models of {@code vfio4j-model}
 * implement it; what is above knows none of them.
 */
package io.github.vfio4j.channel;
