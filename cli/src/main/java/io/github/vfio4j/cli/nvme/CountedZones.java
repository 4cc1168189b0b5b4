package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.Zone;
import io.github.vfio4j.nvme.ZonedNamespace;
import io.github.vfio4j.nvme.Zones;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How many zones of a namespace are in which state.
 *
 * @param namespace whose zones
 * @param states the states that zones are in, and how many are
 */
record CountedZones(ZonedNamespace namespace, Map<Zone.State, Integer> states) {
  /** Returns the zones of all namespaces that have some, by the namespace's number. */
  static Map<Integer, CountedZones> of(NvmeController controller) throws VfioException {
    Map<Integer, CountedZones> counted = new TreeMap<>();
    for (ZonedNamespace namespace : controller.zonedNamespaces()) {
      try (Zones zones = controller.zones(namespace)) {
        counted.put(namespace.namespace().id(), of(namespace, zones.report()));
      }
    }
    return counted;
  }

  private static CountedZones of(ZonedNamespace namespace, List<Zone> zones) {
    Map<Zone.State, Integer> states = new EnumMap<>(Zone.State.class);
    zones.forEach(zone -> states.merge(zone.state(), 1, Integer::sum));
    return new CountedZones(namespace, states);
  }

  private long zoneBytes() {
    return namespace.zoneBlocks() * namespace.namespace().blockSize();
  }

  private int count(Zone.State state) {
    return states.getOrDefault(state, 0);
  }

  Map<String, @Nullable Object> json() {
    return Json.object()
        .with("zoneBytes", zoneBytes())
        .with("count", namespace.zones())
        .with("mostOpen", limit(namespace.mostOpen()))
        .with("mostActive", limit(namespace.mostActive()))
        .with(
            "states",
            Json.object()
                .with("empty", count(Zone.State.EMPTY))
                .with("implicitlyOpened", count(Zone.State.IMPLICITLY_OPENED))
                .with("explicitlyOpened", count(Zone.State.EXPLICITLY_OPENED))
                .with("closed", count(Zone.State.CLOSED))
                .with("full", count(Zone.State.FULL))
                .with("readOnly", count(Zone.State.READ_ONLY))
                .with("offline", count(Zone.State.OFFLINE))
                .map())
        .map();
  }

  private static @Nullable Integer limit(int most) {
    return most == 0 ? null : most;
  }

  /** Says it in a line. */
  String text() {
    List<String> counts = new ArrayList<>();
    states.forEach((state, count) -> counts.add(count + " " + words(state)));
    return "%d of %s, %s: %s"
        .formatted(namespace.zones(), Size.of(zoneBytes()), limits(), String.join(", ", counts));
  }

  private String limits() {
    List<String> limits = new ArrayList<>();
    if (namespace.mostOpen() != 0) {
      limits.add(namespace.mostOpen() + " open");
    }
    if (namespace.mostActive() != 0) {
      limits.add(namespace.mostActive() + " active");
    }
    return limits.isEmpty() ? "any number open" : "at most " + String.join(" and ", limits);
  }

  private static String words(Zone.State state) {
    return state.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
