/**
 * Devices through their own nodes, and the kernel's IOMMU by its own objects: {@code /dev/iommu}.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.iommufd.Iommufd}: the owner of all the others;
 *   <li>{@link io.github.vfio4j.iommufd.CdevDevice}: a device that is bound to it, and attached to
 *       a {@link io.github.vfio4j.iommufd.PageTable};
 *   <li>{@link io.github.vfio4j.iommufd.Viommu}: what a guest sees of an IOMMU;
 *   <li>{@link io.github.vfio4j.iommufd.IommuSurvey}: what the IOMMU behind a device can do.
 * </ul>
 */
package io.github.vfio4j.iommufd;
