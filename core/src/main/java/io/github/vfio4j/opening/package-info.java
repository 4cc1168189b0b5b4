/**
 * What openings of devices have in common, below the backends. Not exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.opening.Admission}: what is refused, and what is chosen;
 *   <li>{@link io.github.vfio4j.opening.Host}: the kernel and the devices that are worked on;
 *   <li>{@link io.github.vfio4j.opening.OpenNode}: the proof that an open file is the node that
 *       sysfs means.
 * </ul>
 */
package io.github.vfio4j.opening;
