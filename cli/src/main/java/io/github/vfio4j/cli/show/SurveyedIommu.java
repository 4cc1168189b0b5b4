package io.github.vfio4j.cli.show;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.ReservedRegion;
import java.util.List;

/**
 * A device, and what the IOMMU behind it can do.
 *
 * @param device the device
 * @param survey what the IOMMU can do
 * @param reservedRegions the addresses that the device cannot use
 */
public record SurveyedIommu(
    HostDevice device, IommuSurvey survey, List<ReservedRegion> reservedRegions) {

  static SurveyedIommu of(CommandHost host, HostDevice device) throws VfioException {
    List<ReservedRegion> reserved =
        device.iommuGroup().isEmpty()
            ? List.of()
            : host.sysfs().group(device.iommuGroup().getAsInt()).reservedRegions();
    return new SurveyedIommu(device, host.surveyor().survey(device), reserved);
  }
}
