package io.github.vfio4j.cli.show;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.cli.text.CapabilityText;
import io.github.vfio4j.cli.text.Names;
import io.github.vfio4j.cli.text.PciCapabilityText;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.cli.text.Title;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.config.ConfigHeader;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.ReservedRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** Writes what {@code show} shows. */
public final class ShowText {

  private static final String INDENT = "  ";

  private final ShownDevice shown;
  private final PciIds ids;
  private final List<String> lines = new ArrayList<>();

  ShowText(ShownDevice shown, PciIds ids) {
    this.shown = shown;
    this.ids = ids;
  }

  List<String> lines() {
    lines.add(shown.device().name() + "  " + Title.of(shown.device(), ids));
    lines.addAll(facts().lines());
    lines.add("");
    config(shown.config());
    shown.obstacle().ifPresent(why -> lines.add("Not opened: " + why));
    shown.opened().ifPresent(this::inside);
    return lines;
  }

  private Table facts() {
    Table facts = new Table(INDENT);
    switch (shown.device()) {
      case PciDevice pci -> {
        facts.add("class", type(pci));
        facts.add("subsystem", subsystem(pci));
        facts.add("revision", "%02x".formatted(pci.revision()));
        facts.add(
            "reset", pci.resetMethods().isEmpty() ? "-" : String.join(", ", pci.resetMethods()));
        shown.config().header().ifPresent(header -> facts.add("command", command(header)));
        pci.numaNode().ifPresent(node -> facts.add("NUMA node", "" + node));
      }
      case MediatedDevice mediated -> {
        facts.add("parent", mediated.parent());
        facts.add("type", mediated.type());
      }
      default -> {}
    }
    facts.add("driver", shown.device().driver().orElse("-"));
    facts.add("cdev", shown.device().cdev().map(ShowText::node).orElse("-"));
    facts.add("IOMMU group", shown.group().map(ShowText::describe).orElse("-"));
    shown.group().ifPresent(group -> members(facts, group));
    shown.group().ifPresent(group -> reserved(facts, group));
    return facts;
  }

  private String type(PciDevice pci) {
    return ids.type(pci.classCode()).map(name -> name + " ").orElse("")
        + "[%06x]".formatted(pci.classCode());
  }

  private String subsystem(PciDevice pci) {
    int vendor = pci.subsystemVendorId();
    String name =
        ids.subsystem(pci.vendorId(), pci.deviceId(), vendor, pci.subsystemId())
            .or(() -> ids.vendor(vendor))
            .map(found -> found + " ")
            .orElse("");
    return name + "[%04x:%04x]".formatted(vendor, pci.subsystemId());
  }

  private static String node(DeviceNode node) {
    return node.path() + " (" + node.number() + ")";
  }

  private static String describe(IommuGroup group) {
    List<String> words = new ArrayList<>();
    words.add("" + group.number());
    group.type().ifPresent(words::add);
    if (group.noIommu()) {
      words.add("made without an IOMMU");
    }
    group.node().ifPresent(node -> words.add(node(node)));
    return String.join(", ", words);
  }

  private void members(Table facts, IommuGroup group) {
    String label = "shared with";
    for (IommuGroup.Member member : group.members()) {
      if (!member.name().equals(shown.device().name())) {
        String driver = member.driver().map(name -> " " + name).orElse("");
        facts.add(label, member.name() + driver + (member.blocksGroup() ? ", in the way" : ""));
        label = "";
      }
    }
  }

  private static void reserved(Table facts, IommuGroup group) {
    String label = "reserved IOVA";
    for (ReservedRegion region : group.reservedRegions()) {
      facts.add(label, region.range() + "  " + region.type());
      label = "";
    }
  }

  private static String command(ConfigHeader header) {
    List<String> words = new ArrayList<>();
    if (header.ioEnabled()) {
      words.add("ports");
    }
    if (header.memoryEnabled()) {
      words.add("memory");
    }
    if (header.busMaster()) {
      words.add("bus master");
    }
    if (header.intxDisabled()) {
      words.add("no INTx");
    }
    return words.isEmpty() ? "-" : String.join(", ", words);
  }

  private void config(ShownConfig config) {
    config
        .header()
        .filter(header -> !header.baseAddresses().isEmpty() || header.rom().isPresent())
        .ifPresent(header -> addTable(addresses(header)));
    if (!config.capabilities().isEmpty()) {
      Table table = new Table(INDENT).add("CAPABILITY", "AT", "PROPERTIES");
      config
          .capabilities()
          .forEach(
              each ->
                  table.add(
                      PciCapabilityText.name(each),
                      "0x%x".formatted(each.offset()),
                      PciCapabilityText.of(each)));
      addTable(table);
    }
    config.obstacle().ifPresent(why -> lines.add("Configuration space: " + why));
  }

  private void addTable(Table table) {
    lines.addAll(table.lines());
    lines.add("");
  }

  private static Table addresses(ConfigHeader header) {
    Table table = new Table(INDENT, 2).add("BAR", "ADDRESS", "SIZE", "KIND");
    for (BaseAddress bar : header.baseAddresses()) {
      table.add(
          "BAR " + bar.number(),
          "0x%x".formatted(bar.address()),
          size(bar.size()),
          kind(bar) + (bar.prefetchable() ? ", prefetchable" : ""));
    }
    header
        .rom()
        .ifPresent(
            rom ->
                table.add(
                    "ROM",
                    "0x%x".formatted(rom.address()),
                    size(rom.size()),
                    rom.enabled() ? "on" : "off"));
    return table;
  }

  private static String size(OptionalLong size) {
    return size.isPresent() ? Size.of(size.getAsLong()) : "?";
  }

  private static String kind(BaseAddress bar) {
    return switch (bar.kind()) {
      case IO -> "ports";
      case MEMORY_32 -> "memory, 32 bits";
      case MEMORY_64 -> "memory, 64 bits";
    };
  }

  private void inside(OpenedDevice opened) {
    lines.add("Opened by %s: %s".formatted(opened.choice().backend(), opened.choice().reason()));
    lines.add(INDENT + (opened.info().resettable() ? "can be reset" : "cannot be reset by itself"));
    opened
        .info()
        .capabilities()
        .forEach(capability -> lines.add(INDENT + CapabilityText.of(capability)));
    if (!opened.features().isEmpty()) {
      lines.add(
          INDENT
              + opened.features().stream()
                  .map(Enum::name)
                  .collect(Collectors.joining(", ", "has ", "")));
    }
    lines.add("");
    lines.addAll(regions(opened).lines());
    lines.add("");
    lines.addAll(interrupts(opened).lines());
    lines.add("");
    lines.addAll(iovaRanges(opened).lines());
  }

  private static Table regions(OpenedDevice opened) {
    Table table = new Table(INDENT, 1).add("REGION", "SIZE", "ACCESS", "CAPABILITIES");
    for (RegionInfo region : opened.regions()) {
      if (region.size() > 0) {
        table.add(
            Names.region(opened.info().pci(), region.index()),
            Size.of(region.size()),
            access(region),
            region.capabilities().stream()
                .map(CapabilityText::of)
                .collect(Collectors.joining("; ")));
      }
    }
    return table;
  }

  private static String access(RegionInfo region) {
    List<String> ways = new ArrayList<>();
    if (region.readable()) {
      ways.add("read");
    }
    if (region.writable()) {
      ways.add("write");
    }
    if (region.mappable()) {
      ways.add("map");
    }
    return ways.isEmpty() ? "-" : String.join(" ", ways);
  }

  private static Table interrupts(OpenedDevice opened) {
    Table table = new Table(INDENT, 1).add("INTERRUPT", "VECTORS", "PROPERTIES");
    for (OpenedDevice.Irq irq : opened.interrupts()) {
      if (irq.count() > 0) {
        List<String> properties = new ArrayList<>();
        if (irq.maskable()) {
          properties.add("maskable");
        }
        if (irq.automasked()) {
          properties.add("masks itself");
        }
        if (irq.resizable() && irq.count() > 1) {
          properties.add("vectors can be added");
        }
        table.add(
            Names.interrupt(opened.info().pci(), irq.index()),
            "" + irq.count(),
            String.join(", ", properties));
      }
    }
    return table;
  }

  private static Table iovaRanges(OpenedDevice opened) {
    Table table = new Table(INDENT, 1);
    table.add("IOVA RANGE", "SIZE", "in units of " + Size.of(opened.granule()));
    for (IovaRange range : opened.iovaRanges()) {
      table.add(range.toString(), Size.of(range), "");
    }
    return table;
  }
}
