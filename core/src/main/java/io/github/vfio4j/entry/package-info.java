/** The one way in, above all backends: what {@link io.github.vfio4j.DeviceOpener} asks for. */
package io.github.vfio4j.entry;
