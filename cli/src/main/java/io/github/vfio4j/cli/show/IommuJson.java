package io.github.vfio4j.cli.show;

import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptProbe;
import io.github.vfio4j.iommufd.IommuSurvey;
import java.util.Locale;

/** Writes what {@code iommu} shows of one device as JSON. */
public final class IommuJson {

  private IommuJson() {}

  static Json of(SurveyedIommu surveyed, PciIds ids) {
    IommuSurvey survey = surveyed.survey();
    return DeviceJson.of(surveyed.device(), ids)
        .with("iommu", survey.hardware().map(hardware -> hardware(hardware).map()))
        .with(
            "commandQueues",
            survey.commandQueues().map(queues -> facts(HardwareFacts.of(queues)).map()))
        .with("pageTables", survey.pageTables().stream().map(probe -> probe(probe).map()).toList())
        .with("granule", survey.granule())
        .with("iovaRanges", survey.iovaRanges().stream().map(Json::range).toList())
        .with("reservedRegions", surveyed.reservedRegions().stream().map(Json::reserved).toList());
  }

  private static Json hardware(HwInfo hardware) {
    return facts(HardwareFacts.of(hardware.data()))
        .with("dirtyTracking", hardware.dirtyTracking())
        .with("pasidBits", hardware.pasidBits())
        .with("pasidExecute", hardware.pasidExecute())
        .with("pasidPrivileged", hardware.pasidPrivileged())
        .with("atsNotSupported", hardware.atsNotSupported());
  }

  private static Json facts(HardwareFacts facts) {
    return Json.object()
        .with("kind", facts.kind())
        .with("features", facts.features())
        .with("registers", facts.registers());
  }

  private static Json probe(HwptProbe probe) {
    return Json.object()
        .with("kind", probe.kind().name().toLowerCase(Locale.ROOT))
        .with("makeable", probe.supported())
        .with("reason", probe.refusal().map(Refusal::reason));
  }
}
