/**
 * The kernel's mock IOMMU ({@code CONFIG_IOMMUFD_TEST}): devices that exist only in it, and what
 * the kernel tells of them to tests.
 *
 * <p>Its interface is private to the kernel's own tests and changes with them, so it is written by
 * hand here and is no part of the bindings.
 */
@NullMarked
package io.github.vfio4j.mock;

import org.jspecify.annotations.NullMarked;
