package io.github.vfio4j.cli.show;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.cli.text.Title;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptProbe;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.ReservedRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes what {@code iommu} shows of one device. */
public final class IommuText {

  private static final String INDENT = "  ";

  /** How features are called; those that are not here have no other name. */
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("addressBits", "address bits"),
          Map.entry("scalableMode", "scalable mode"),
          Map.entry("firstStage", "first stage"),
          Map.entry("secondStage", "second stage"),
          Map.entry("dirtyBits", "dirty bits"),
          Map.entry("pageRequests", "page requests"),
          Map.entry("pasids", "PASIDs"),
          Map.entry("pasidBits", "PASID bits"),
          Map.entry("noReadOnlyParent", "erratum 772415: no read-only parents"),
          Map.entry("streamIdBits", "stream ID bits"),
          Map.entry("substreamIdBits", "substream ID bits"),
          Map.entry("aarch64Tables", "AArch64 tables"),
          Map.entry("granule4k", "pages of 4 KiB"),
          Map.entry("granule16k", "pages of 16 KiB"),
          Map.entry("granule64k", "pages of 64 KiB"),
          Map.entry("asid16", "16-bit ASIDs"),
          Map.entry("rangeInvalidation", "range invalidation"),
          Map.entry("repeatInvalidations", "erratum: invalidate twice"),
          Map.entry("guestTranslation", "guest translation"),
          Map.entry("queueBits", "queues, as bits"));

  private final SurveyedIommu surveyed;
  private final IommuSurvey survey;
  private final PciIds ids;
  private final List<String> lines = new ArrayList<>();

  IommuText(SurveyedIommu surveyed, PciIds ids) {
    this.surveyed = surveyed;
    this.survey = surveyed.survey();
    this.ids = ids;
  }

  List<String> lines() {
    lines.add(surveyed.device().name() + "  " + Title.of(surveyed.device(), ids));
    Table facts = new Table(INDENT);
    survey
        .hardware()
        .ifPresentOrElse(hardware -> add(facts, hardware), () -> facts.add("IOMMU", none()));
    survey
        .commandQueues()
        .map(HardwareFacts::of)
        .ifPresent(queues -> add(facts, "extension", queues));
    lines.addAll(facts.lines());
    if (!survey.pageTables().isEmpty()) {
      lines.add("");
      lines.addAll(pageTables().lines());
    }
    if (!survey.iovaRanges().isEmpty()) {
      lines.add("");
      lines.addAll(addresses().lines());
    }
    return lines;
  }

  private String none() {
    return surveyed.device() instanceof MediatedDevice
        ? "none; the driver of its parent guards its memory"
        : "none guards it: its DMA would reach any memory";
  }

  private static void add(Table facts, HwInfo hardware) {
    add(facts, "IOMMU", HardwareFacts.of(hardware.data()));
    facts.add("dirty tracking", yes(hardware.dirtyTracking()));
    facts.add("PASIDs of the device", pasids(hardware));
    facts.add("ATS of the device", hardware.atsNotSupported() ? "no" : "not ruled out");
  }

  private static void add(Table facts, String label, HardwareFacts hardware) {
    facts.add(label, hardware.title());
    hardware
        .features()
        .forEach(
            (name, value) ->
                facts.add(
                    INDENT + NAMES.getOrDefault(name, name),
                    value instanceof Boolean has ? yes(has) : value.toString()));
    if (!hardware.registers().isEmpty()) {
      facts.add(
          INDENT + "registers",
          hardware.registers().entrySet().stream()
              .map(register -> register.getKey() + " " + register.getValue())
              .collect(Collectors.joining(", ")));
    }
  }

  private static String pasids(HwInfo hardware) {
    if (hardware.pasidBits() == 0) {
      return "no";
    }
    List<String> words = new ArrayList<>();
    words.add(hardware.pasidBits() + " bits");
    if (hardware.pasidExecute()) {
      words.add("execute permission");
    }
    if (hardware.pasidPrivileged()) {
      words.add("privileged mode");
    }
    return String.join(", ", words);
  }

  private static String yes(boolean has) {
    return has ? "yes" : "no";
  }

  private Table pageTables() {
    Table table = new Table(INDENT).add("PAGE TABLE", "CAN BE MADE");
    for (HwptProbe probe : survey.pageTables()) {
      table.add(
          switch (probe.kind()) {
            case PLAIN -> "plain";
            case NEST_PARENT -> "parent of nesting";
            case DIRTY_TRACKING -> "dirty tracking";
            case PASID -> "for PASIDs";
            case FAULTS -> "fault-capable";
          },
          probe.refusal().map(why -> "no: " + Refusal.reason(why)).orElse("yes"));
    }
    return table;
  }

  private Table addresses() {
    Table table = new Table(INDENT, 1);
    table.add("IOVA RANGE", "SIZE", "in units of " + Size.of(survey.granule()));
    for (IovaRange range : survey.iovaRanges()) {
      table.add(range.toString(), Size.of(range), "");
    }
    for (ReservedRegion region : surveyed.reservedRegions()) {
      table.add(region.range().toString(), Size.of(region.range()), "reserved: " + region.type());
    }
    return table;
  }
}
