/**
 * What is in a PCI device's configuration space, taken apart: the header, its base address
 * registers with their sizes, and capabilities.
 *
 * <p>A {@link io.github.vfio4j.config.ConfigImage} is made of an open device, of a device as sysfs
 * shows it, or of bytes. Nothing here writes to a device, but for the reading of {@link
 * io.github.vfio4j.config.VitalProductData}. What a device says is not believed: offsets and sizes
 * are checked. To drive a device, {@link io.github.vfio4j.ConfigSpace} has its registers.
 */
package io.github.vfio4j.config;
