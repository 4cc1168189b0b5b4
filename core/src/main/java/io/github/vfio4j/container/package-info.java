/**
 * Devices through the legacy interface: {@code /dev/vfio/vfio} and the nodes of IOMMU groups.
 *
 * <p>A {@link io.github.vfio4j.container.Container} is the IO address space; it owns each {@link
 * io.github.vfio4j.container.Group} in it, and those the {@link
 * io.github.vfio4j.container.GroupDevice}s that are opened through them.
 */
package io.github.vfio4j.container;
