/**
 * What openings of devices have in common, below the backends. Not exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.opening.Admission}: what is refused, and what is chosen;
 *   <li>{@link io.github.vfio4j.opening.Ways}: which way to a device is whole, and what stands in
 *       the others, by {@link io.github.vfio4j.opening.Guard}, {@link
 *       io.github.vfio4j.opening.Nodes}, {@link io.github.vfio4j.opening.Neighbours} and others;
 *   <li>{@link io.github.vfio4j.opening.Host}: the kernel and the devices that are worked on;
 *   <li>{@link io.github.vfio4j.opening.OpenNode}: the proof that an open file is the node that
 *       sysfs means.
 * </ul>
 */
package io.github.vfio4j.opening;
