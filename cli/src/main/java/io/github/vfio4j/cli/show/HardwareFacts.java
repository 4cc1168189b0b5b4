package io.github.vfio4j.cli.show;

import io.github.vfio4j.amd.AmdHwInfo;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.iommufd.HwData;
import io.github.vfio4j.smmuv3.ArmSmmuv3HwInfo;
import io.github.vfio4j.smmuv3.Tegra241CmdqvHwInfo;
import io.github.vfio4j.vtd.VtdHwInfo;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A kind of IOMMU in words: the fields of its registers that mean something, and the registers.
 *
 * @param kind its name for programs
 * @param title its name for people
 * @param features each a boolean or a number, by the name for programs
 * @param registers raw, in hexadecimal
 */
public record HardwareFacts(
    String kind, String title, Map<String, Object> features, Map<String, String> registers) {

  static HardwareFacts of(HwData data) {
    return VtdHwInfo.of(data)
        .map(HardwareFacts::of)
        .or(() -> ArmSmmuv3HwInfo.of(data).map(HardwareFacts::of))
        .or(() -> AmdHwInfo.of(data).map(HardwareFacts::of))
        .or(() -> Tegra241CmdqvHwInfo.of(data).map(HardwareFacts::of))
        .orElseGet(() -> unread(data));
  }

  private static HardwareFacts of(VtdHwInfo vtd) {
    Map<String, Object> features = new LinkedHashMap<>();
    features.put("addressBits", vtd.addressBits());
    features.put("scalableMode", vtd.scalableMode());
    features.put("firstStage", vtd.firstStage());
    features.put("secondStage", vtd.secondStage());
    features.put("nesting", vtd.nesting());
    features.put("dirtyBits", vtd.dirtyBits());
    features.put("pageRequests", vtd.pageRequests());
    features.put("pasids", vtd.pasids());
    features.put("noReadOnlyParent", vtd.noReadOnlyParent());
    Map<String, String> registers = new LinkedHashMap<>();
    registers.put("CAP", Json.hex(vtd.capability()));
    registers.put("ECAP", Json.hex(vtd.extendedCapability()));
    return new HardwareFacts("vtd", "Intel VT-d", features, registers);
  }

  private static HardwareFacts of(ArmSmmuv3HwInfo smmu) {
    Map<String, Object> features = new LinkedHashMap<>();
    features.put("streamIdBits", smmu.streamIdBits());
    features.put("substreamIdBits", smmu.substreamIdBits());
    features.put("aarch64Tables", smmu.aarch64Tables());
    features.put("granule4k", smmu.granule4k());
    features.put("granule16k", smmu.granule16k());
    features.put("granule64k", smmu.granule64k());
    features.put("asid16", smmu.asid16());
    features.put("stalls", smmu.stalls());
    features.put("rangeInvalidation", smmu.rangeInvalidation());
    features.put("repeatInvalidations", smmu.repeatInvalidations());
    Map<String, String> registers = new LinkedHashMap<>();
    for (int i = 0; i < smmu.idr().size(); i++) {
      registers.put("IDR" + i, register(smmu.idr().get(i)));
    }
    registers.put("IIDR", register(smmu.iidr()));
    registers.put("AIDR", register(smmu.aidr()));
    return new HardwareFacts("smmuv3", "Arm SMMUv3", features, registers);
  }

  private static HardwareFacts of(AmdHwInfo amd) {
    Map<String, Object> features = new LinkedHashMap<>();
    features.put("guestTranslation", amd.guestTranslation());
    features.put("pageRequests", amd.pageRequests());
    features.put("dirtyBits", amd.dirtyBits());
    features.put("pasidBits", amd.guestTranslation() ? amd.pasidBits() : 0);
    Map<String, String> registers = new LinkedHashMap<>();
    registers.put("EFR", Json.hex(amd.extendedFeatures()));
    registers.put("EFR2", Json.hex(amd.extendedFeatures2()));
    return new HardwareFacts("amd", "AMD IOMMU", features, registers);
  }

  static HardwareFacts of(Tegra241CmdqvHwInfo queues) {
    Map<String, Object> features = new LinkedHashMap<>();
    features.put("version", queues.version());
    features.put("queueBits", queues.queueBits());
    features.put("streamIdBits", queues.streamIdBits());
    return new HardwareFacts("tegra241-cmdqv", "NVIDIA Tegra241 CMDQV", features, Map.of());
  }

  private static HardwareFacts unread(HwData raw) {
    String hex = HexFormat.of().formatHex(raw.bytes());
    return raw.type() == 0
        ? new HardwareFacts(
            "undescribed", "one whose driver does not describe it", Map.of(), Map.of())
        : new HardwareFacts(
            "unknown",
            "unknown, of type 0x%x".formatted(raw.type()),
            Map.of(),
            Map.of("data", hex.isEmpty() ? "-" : hex));
  }

  private static String register(int value) {
    return Json.hex(Integer.toUnsignedLong(value));
  }
}
