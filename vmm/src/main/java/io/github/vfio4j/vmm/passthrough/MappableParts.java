package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.config.MsixCapability;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Which parts of a BAR a guest may reach by itself. */
final class MappableParts {
  /** A guest sees whole pages. */
  private static final long PAGE = 4096;

  private static final long ENTRY = 16;

  /** Whole pages of a region. */
  record Part(long offset, long size) {}

  private MappableParts() {}

  /** Returns what can be mapped, but for the pages of the table of MSI-X. */
  static List<Part> of(int bar, RegionInfo info, Optional<MsixCapability> msix) {
    List<Part> parts = new ArrayList<>();
    for (RegionCapability.SparseMmap.Area area : info.mappableAreas()) {
      long first = area.offset();
      long end = (area.offset() + area.size()) & -PAGE;
      if (msix.isPresent() && msix.get().tableBar() == bar) {
        long table = msix.get().tableOffset();
        long tableEnd = table + msix.get().vectors() * ENTRY;
        add(parts, first, Math.min(end, table & -PAGE));
        add(parts, Math.max(first, (tableEnd + PAGE - 1) & -PAGE), end);
      } else {
        add(parts, first, end);
      }
    }
    return parts;
  }

  private static void add(List<Part> parts, long first, long end) {
    if (first < end) {
      parts.add(new Part(first, end - first));
    }
  }
}
