package io.github.vfio4j.cli.show;

import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.config.AerCapability;
import io.github.vfio4j.config.AtsCapability;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.config.ConfigHeader;
import io.github.vfio4j.config.ExpansionRom;
import io.github.vfio4j.config.MsiCapability;
import io.github.vfio4j.config.MsixCapability;
import io.github.vfio4j.config.OtherCapability;
import io.github.vfio4j.config.PasidCapability;
import io.github.vfio4j.config.PciCapability;
import io.github.vfio4j.config.PciExpressCapability;
import io.github.vfio4j.config.PowerManagementCapability;
import io.github.vfio4j.config.PriCapability;
import io.github.vfio4j.config.ResizableBarCapability;
import io.github.vfio4j.config.SerialNumberCapability;
import io.github.vfio4j.config.SriovCapability;
import io.github.vfio4j.config.VendorCapability;
import io.github.vfio4j.config.VendorExtendedCapability;
import io.github.vfio4j.config.VpdCapability;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Writes a configuration space as JSON. */
public final class ConfigJson {

  private ConfigJson() {}

  static Json of(ShownConfig config) {
    Json json = Json.object();
    config.header().ifPresent(header -> add(json, header));
    return json.with(
            "capabilities",
            config.capabilities().stream().map(ConfigJson::capability).map(Json::map).toList())
        .with("notRead", config.obstacle());
  }

  private static void add(Json json, ConfigHeader header) {
    json.with("command", hex(header.command()))
        .with("status", hex(header.status()))
        .with("layout", header.layout())
        .with("multiFunction", header.multiFunction())
        .with("interruptPin", header.interruptPin())
        .with(
            "baseAddresses",
            header.baseAddresses().stream().map(ConfigJson::bar).map(Json::map).toList())
        .with("rom", header.rom().map(ConfigJson::rom).map(Json::map));
  }

  private static Json bar(BaseAddress bar) {
    return Json.object()
        .with("number", bar.number())
        .with(
            "kind",
            switch (bar.kind()) {
              case IO -> "io";
              case MEMORY_32 -> "memory32";
              case MEMORY_64 -> "memory64";
            })
        .with("prefetchable", bar.prefetchable())
        .with("address", Json.hex(bar.address()))
        .with("size", size(bar.size()));
  }

  private static Json rom(ExpansionRom rom) {
    return Json.object()
        .with("address", Json.hex(rom.address()))
        .with("enabled", rom.enabled())
        .with("size", size(rom.size()));
  }

  private static @Nullable Long size(OptionalLong size) {
    return size.isPresent() ? size.getAsLong() : null;
  }

  private static Json capability(PciCapability capability) {
    Json json =
        Json.object()
            .with("kind", kind(capability))
            .with("id", hex(capability.id()))
            .with("offset", hex(capability.offset()))
            .with("extended", capability.isExtended());
    return switch (capability) {
      case AerCapability aer ->
          json.with("uncorrectableStatus", hex(aer.uncorrectableStatus()))
              .with("uncorrectableMask", hex(aer.uncorrectableMask()))
              .with("uncorrectableSeverity", hex(aer.uncorrectableSeverity()))
              .with("correctableStatus", hex(aer.correctableStatus()))
              .with("correctableMask", hex(aer.correctableMask()));
      case AtsCapability ats ->
          json.with("enabled", ats.enabled())
              .with("queueDepth", ats.queueDepth())
              .with("smallestUnit", ats.smallestUnit());
      case MsiCapability msi ->
          json.with("enabled", msi.enabled())
              .with("vectors", msi.vectors())
              .with("wide", msi.wide())
              .with("maskable", msi.maskable());
      case MsixCapability msix ->
          json.with("enabled", msix.enabled())
              .with("masked", msix.masked())
              .with("vectors", msix.vectors())
              .with("tableBar", msix.tableBar())
              .with("tableOffset", Json.hex(msix.tableOffset()))
              .with("pendingBar", msix.pendingBar())
              .with("pendingOffset", Json.hex(msix.pendingOffset()));
      case PasidCapability pasid ->
          json.with("enabled", pasid.enabled())
              .with("bits", pasid.bits())
              .with("execute", pasid.execute())
              .with("privileged", pasid.privileged());
      case PciExpressCapability express ->
          json.with("version", express.version())
              .with("portType", express.portType())
              .with("functionReset", express.functionReset())
              .with("largestPayload", express.largestPayload())
              .with("payload", express.payload())
              .with("readRequest", express.readRequest())
              .with("link", express.link().map(ConfigJson::link).map(Json::map))
              .with("atomic32", express.atomic32())
              .with("atomic64", express.atomic64())
              .with("atomic128", express.atomic128());
      case PowerManagementCapability power ->
          json.with("state", "D" + power.state())
              .with("d1", power.d1())
              .with("d2", power.d2())
              .with("keepsRegisters", power.keepsRegisters());
      case PriCapability pri ->
          json.with("enabled", pri.enabled())
              .with("capacity", pri.capacity())
              .with("allocation", pri.allocation());
      case ResizableBarCapability resizable ->
          json.with("bars", resizable.bars().stream().map(ConfigJson::bar).map(Json::map).toList());
      case SerialNumberCapability serial ->
          json.with("serialNumber", "0x%016x".formatted(serial.serialNumber()));
      case SriovCapability sriov ->
          json.with("enabled", sriov.enabled())
              .with("functions", sriov.functions())
              .with("totalFunctions", sriov.totalFunctions())
              .with("functionDeviceId", "0x%04x".formatted(sriov.functionDeviceId()))
              .with("firstOffset", sriov.firstOffset())
              .with("stride", sriov.stride());
      case VendorCapability vendor -> json.with("data", hex(vendor.data()));
      case VendorExtendedCapability vendor ->
          json.with("vendorId", hex(vendor.vendorId())).with("data", hex(vendor.data()));
      case VpdCapability _ -> json;
      case OtherCapability other -> json.with("data", hex(other.data()));
    };
  }

  private static Json bar(ResizableBarCapability.Bar bar) {
    return Json.object()
        .with("number", bar.number())
        .with("sizes", Json.hex(bar.sizes()))
        .with("size", bar.size());
  }

  private static Json link(PciExpressCapability.Link link) {
    return Json.object()
        .with("speed", link.speed())
        .with("width", link.width())
        .with("largestSpeed", link.largestSpeed())
        .with("largestWidth", link.largestWidth());
  }

  private static String kind(PciCapability capability) {
    return switch (capability) {
      case AerCapability _ -> "aer";
      case AtsCapability _ -> "ats";
      case MsiCapability _ -> "msi";
      case MsixCapability _ -> "msix";
      case OtherCapability _ -> "other";
      case PasidCapability _ -> "pasid";
      case PciExpressCapability _ -> "pciExpress";
      case PowerManagementCapability _ -> "powerManagement";
      case PriCapability _ -> "pri";
      case ResizableBarCapability _ -> "resizableBar";
      case SerialNumberCapability _ -> "serialNumber";
      case SriovCapability _ -> "sriov";
      case VendorCapability _, VendorExtendedCapability _ -> "vendor";
      case VpdCapability _ -> "vpd";
    };
  }

  private static String hex(int value) {
    return Json.hex(Integer.toUnsignedLong(value));
  }

  private static String hex(ByteBuffer data) {
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
