package io.github.vfio4j.cli.show;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.RawCapability;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Names;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** Writes what {@code show} shows as JSON. */
public final class ShowJson {

  private ShowJson() {}

  static Json of(ShownDevice shown, CommandHost host) throws VfioException {
    Json json =
        DeviceJson.of(shown.device(), host.ids()).with("path", shown.device().path().toString());
    if (shown.device() instanceof PciDevice pci) {
      json.with("subsystemVendorId", "0x%04x".formatted(pci.subsystemVendorId()))
          .with("subsystemId", "0x%04x".formatted(pci.subsystemId()))
          .with("revision", "0x%02x".formatted(pci.revision()))
          .with("driverOverride", driverOverride(host, pci))
          .with("resetMethods", pci.resetMethods())
          .with("numaNode", pci.numaNode());
    }
    return json.with("config", config(shown.config()))
        .with("group", shown.group().map(group -> group(group).map()))
        .with("notOpened", shown.obstacle())
        .with("opened", shown.opened().map(opened -> opened(opened).map()));
  }

  private static Optional<?> config(ShownConfig config) {
    return config.header().isEmpty() && config.obstacle().isEmpty()
        ? Optional.empty()
        : Optional.of(ConfigJson.of(config).map());
  }

  /** While the device is bound or unbound, the kernel may keep it back. */
  private static Optional<String> driverOverride(CommandHost host, PciDevice device)
      throws VfioException {
    try {
      return host.sysfs().driverOverride(device);
    } catch (DeviceBusyException e) {
      return Optional.empty();
    }
  }

  private static Json group(IommuGroup group) {
    return Json.object()
        .with("number", group.number())
        .with("type", group.type())
        .with("noIommu", group.noIommu())
        .with("node", group.node().map(DeviceNode::path).map(String::valueOf))
        .with("members", group.members().stream().map(member -> member(member).map()).toList())
        .with("reservedRegions", group.reservedRegions().stream().map(Json::reserved).toList());
  }

  private static Json member(IommuGroup.Member member) {
    return Json.object()
        .with("name", member.name())
        .with("driver", member.driver())
        .with("inTheWay", member.blocksGroup());
  }

  private static Json opened(OpenedDevice opened) {
    boolean pci = opened.info().pci();
    return Json.object()
        .with("backend", opened.choice().backend().name().toLowerCase(Locale.ROOT))
        .with("reason", opened.choice().reason())
        .with("resettable", opened.info().resettable())
        .with(
            "capabilities",
            opened.info().capabilities().stream().map(ShowJson::capability).map(Json::map).toList())
        .with("features", opened.features().stream().map(Enum::name).toList())
        .with(
            "regions", opened.regions().stream().map(region -> region(region, pci).map()).toList())
        .with(
            "interrupts",
            opened.interrupts().stream().map(irq -> interrupt(irq, pci).map()).toList())
        .with("granule", opened.granule())
        .with("iovaRanges", opened.iovaRanges().stream().map(Json::range).toList());
  }

  private static Json region(RegionInfo region, boolean pci) {
    return Json.object()
        .with("index", region.index())
        .with("name", Names.region(pci, region.index()))
        .with("size", region.size())
        .with("readable", region.readable())
        .with("writable", region.writable())
        .with("mappable", region.mappable())
        .with(
            "capabilities",
            region.capabilities().stream().map(ShowJson::capability).map(Json::map).toList());
  }

  private static Json capability(DeviceInfo.Capability capability) {
    return switch (capability) {
      case DeviceInfo.PciAtomicCompletion atomics ->
          Json.object()
              .with("kind", "pciAtomicCompletion")
              .with("bits", IntStream.of(32, 64, 128).filter(atomics::completes).boxed().toList());
      case RawCapability raw -> raw(raw);
    };
  }

  private static Json capability(RegionCapability capability) {
    return switch (capability) {
      case RegionCapability.SparseMmap sparse ->
          Json.object()
              .with("kind", "sparseMmap")
              .with("areas", sparse.areas().stream().map(area -> area(area).map()).toList());
      case RegionCapability.Type type ->
          Json.object()
              .with("kind", "type")
              .with("type", Json.hex(Integer.toUnsignedLong(type.type())))
              .with("subtype", Json.hex(Integer.toUnsignedLong(type.subtype())));
      case RegionCapability.MsixMappable _ -> Json.object().with("kind", "msixMappable");
      case RegionCapability.NvLink2Target target ->
          Json.object().with("kind", "nvlink2Target").with("address", Json.hex(target.address()));
      case RegionCapability.NvLink2Speed speed ->
          Json.object().with("kind", "nvlink2Speed").with("linkSpeed", speed.linkSpeed());
      case RawCapability raw -> raw(raw);
    };
  }

  private static Json area(RegionCapability.SparseMmap.Area area) {
    return Json.object().with("offset", Json.hex(area.offset())).with("size", area.size());
  }

  private static Json raw(RawCapability raw) {
    return Json.object()
        .with("kind", "raw")
        .with("id", raw.id())
        .with("version", raw.version())
        .with("payload", HexFormat.of().formatHex(raw.payload()));
  }

  private static Json interrupt(OpenedDevice.Irq irq, boolean pci) {
    return Json.object()
        .with("index", irq.index())
        .with("name", Names.interrupt(pci, irq.index()))
        .with("count", irq.count())
        .with("maskable", irq.maskable())
        .with("automasked", irq.automasked())
        .with("growable", irq.resizable());
  }
}
