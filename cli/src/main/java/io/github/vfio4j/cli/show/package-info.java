/**
 * The commands that look and change nothing: list, show, iommu and doctor.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.cli.show.ShownDevice}: all that is known of a device, written by
 *       {@link io.github.vfio4j.cli.show.ShowText} and {@link io.github.vfio4j.cli.show.ShowJson};
 *   <li>{@link io.github.vfio4j.cli.show.SurveyedIommu}: what an IOMMU can do, written by {@link
 *       io.github.vfio4j.cli.show.IommuText} and {@link io.github.vfio4j.cli.show.IommuJson}.
 * </ul>
 */
package io.github.vfio4j.cli.show;
