package io.github.vfio4j.cli.text;

import io.github.vfio4j.ConfigSpace.CapabilityId;
import io.github.vfio4j.ConfigSpace.ExtendedCapabilityId;
import io.github.vfio4j.config.AerCapability;
import io.github.vfio4j.config.AtsCapability;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Writes a capability of a PCI device in words. */
public final class PciCapabilityText {

  private static final List<String> GIGATRANSFERS =
      List.of("?", "2.5 GT/s", "5 GT/s", "8 GT/s", "16 GT/s", "32 GT/s", "64 GT/s");

  private PciCapabilityText() {}

  /** Returns what it is called. */
  public static String name(PciCapability capability) {
    return switch (capability) {
      case AerCapability _ -> "AER";
      case AtsCapability _ -> "ATS";
      case MsiCapability _ -> "MSI";
      case MsixCapability _ -> "MSI-X";
      case PasidCapability _ -> "PASID";
      case PciExpressCapability _ -> "PCI Express";
      case PowerManagementCapability _ -> "power management";
      case PriCapability _ -> "PRI";
      case ResizableBarCapability _ -> "resizable BARs";
      case SerialNumberCapability _ -> "serial number";
      case SriovCapability _ -> "SR-IOV";
      case VendorCapability _, VendorExtendedCapability _ -> "vendor's own";
      case VpdCapability _ -> "VPD";
      case OtherCapability other ->
          knownName(other)
              .map(name -> name.toLowerCase(Locale.ROOT).replace('_', ' '))
              .orElse("capability 0x%x".formatted(other.id()));
    };
  }

  private static Optional<String> knownName(OtherCapability other) {
    return other.isExtended()
        ? Stream.of(ExtendedCapabilityId.values())
            .filter(id -> id.number() == other.id())
            .map(Enum::name)
            .findFirst()
        : Stream.of(CapabilityId.values())
            .filter(id -> id.number() == other.id())
            .map(Enum::name)
            .findFirst();
  }

  /** Returns what it says. */
  public static String of(PciCapability capability) {
    List<String> words = new ArrayList<>();
    switch (capability) {
      case AerCapability aer -> {
        aer.uncorrectable().forEach(error -> words.add(words(error)));
        aer.correctable().forEach(error -> words.add("corrected: " + words(error)));
        if (words.isEmpty()) {
          words.add("no errors");
        }
      }
      case AtsCapability ats -> {
        words.add(onOff(ats.enabled()));
        words.add("queue of " + ats.queueDepth());
      }
      case MsiCapability msi -> {
        words.add(vectors(msi.vectors()));
        words.add(onOff(msi.enabled()));
        words.add(msi.wide() ? "64 bits" : "32 bits");
        addIf(words, msi.maskable(), "maskable");
      }
      case MsixCapability msix -> {
        words.add(vectors(msix.vectors()));
        words.add(onOff(msix.enabled()));
        addIf(words, msix.masked(), "masked");
        words.add("table in BAR %d at 0x%x".formatted(msix.tableBar(), msix.tableOffset()));
      }
      case PasidCapability pasid -> {
        words.add(pasid.bits() + " bits");
        words.add(onOff(pasid.enabled()));
      }
      case PciExpressCapability express -> add(words, express);
      case PowerManagementCapability power -> {
        words.add("in D" + power.state());
        addIf(words, power.d1(), "has D1");
        addIf(words, power.d2(), "has D2");
        addIf(words, power.keepsRegisters(), "keeps its registers in D3hot");
      }
      case PriCapability pri -> {
        words.add(onOff(pri.enabled()));
        words.add("%d of %d requests".formatted(pri.allocation(), pri.capacity()));
      }
      case ResizableBarCapability resizable ->
          resizable.bars().forEach(bar -> words.add(resizable(bar)));
      case SerialNumberCapability serial -> words.add("%016x".formatted(serial.serialNumber()));
      case SriovCapability sriov -> {
        words.add(
            "%d of %d functions"
                .formatted(sriov.enabled() ? sriov.functions() : 0, sriov.totalFunctions()));
        words.add("their device ID is %04x".formatted(sriov.functionDeviceId()));
      }
      case VendorCapability vendor -> words.add(bytes(vendor.data().remaining()));
      case VendorExtendedCapability vendor -> {
        words.add("ID 0x%04x".formatted(vendor.vendorId()));
        words.add(bytes(vendor.data().remaining()));
      }
      case VpdCapability _, OtherCapability _ -> {}
    }
    return String.join(", ", words);
  }

  private static void add(List<String> words, PciExpressCapability express) {
    words.add(
        switch (express.portType()) {
          case PciExpressCapability.ENDPOINT -> "endpoint";
          case PciExpressCapability.ROOT_COMPLEX_ENDPOINT -> "endpoint of the root complex";
          default -> "port type " + express.portType();
        });
    express.link().ifPresent(link -> words.add(link(link)));
    addIf(words, express.functionReset(), "can be reset by itself");
    addIf(words, express.atomic32() || express.atomic64(), "atomic operations");
  }

  private static String link(PciExpressCapability.Link link) {
    return "%s x%d of %s x%d"
        .formatted(
            speed(link.speed()), link.width(), speed(link.largestSpeed()), link.largestWidth());
  }

  private static String speed(int generation) {
    return generation < GIGATRANSFERS.size() ? GIGATRANSFERS.get(generation) : "?";
  }

  private static String resizable(ResizableBarCapability.Bar bar) {
    String sizes =
        IntStream.range(0, Long.SIZE - 20)
            .filter(bit -> (bar.sizes() >>> bit & 1) != 0)
            .mapToObj(bit -> bit < 43 ? Size.of(1L << (bit + 20)) : "more")
            .collect(Collectors.joining(" or "));
    return "BAR %d is %s of %s".formatted(bar.number(), Size.of(bar.size()), sizes);
  }

  private static String words(Enum<?> error) {
    return error.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String vectors(int count) {
    return count == 1 ? "1 vector" : count + " vectors";
  }

  private static String bytes(int count) {
    return count + " bytes";
  }

  private static String onOff(boolean on) {
    return on ? "on" : "off";
  }

  private static void addIf(List<String> words, boolean holds, String word) {
    if (holds) {
      words.add(word);
    }
  }
}
