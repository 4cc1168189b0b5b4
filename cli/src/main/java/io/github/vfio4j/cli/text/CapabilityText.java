package io.github.vfio4j.cli.text;

import io.github.vfio4j.RawCapability;
import io.github.vfio4j.RegionCapability;
import java.util.stream.Collectors;

/** Writes a capability of a region in words. */
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
      case RawCapability raw -> raw.toString();
    };
  }
}
