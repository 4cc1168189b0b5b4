/**
 * The features of {@code linux/vfio.h}: what some devices can do beside what all can.
 *
 * <p>{@link io.github.vfio4j.feature.DeviceFeature} names them all and tells which a device has.
 * What they do is in the packages of their subjects.
 */
package io.github.vfio4j.feature;
