package io.github.vfio4j.cli.text;

import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.RawCapability;
import io.github.vfio4j.RegionCapability;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes a capability of a region, or of a device, in words. */
public final class CapabilityText {

  private CapabilityText() {}

  public static String of(RegionCapability capability) {
    return switch (capability) {
      case RegionCapability.SparseMmap sparse ->
          sparse.areas().stream()
              .map(area -> "%s at 0x%x".formatted(Size.of(area.size()), area.offset()))
              .collect(Collectors.joining(", ", "map only ", ""));
      case RegionCapability.Type type ->
          "type 0x%x, subtype 0x%x".formatted(type.type(), type.subtype());
      case RegionCapability.MsixMappable _ -> "MSI-X table mappable";
      case RegionCapability.NvLink2Target target -> "NVLink2 at 0x%x".formatted(target.address());
      case RegionCapability.NvLink2Speed speed -> "NVLink2 of speed " + speed.linkSpeed();
      case RawCapability raw -> raw.toString();
    };
  }

  /** Writes a capability of a device in words. */
  public static String of(DeviceInfo.Capability capability) {
    return switch (capability) {
      case DeviceInfo.PciAtomicCompletion atomics ->
          "atomic operations on memory: "
              + IntStream.of(32, 64, 128)
                  .filter(atomics::completes)
                  .mapToObj(Integer::toString)
                  .collect(Collectors.joining(", ", "", " bits"));
      case RawCapability raw -> raw.toString();
    };
  }
}
