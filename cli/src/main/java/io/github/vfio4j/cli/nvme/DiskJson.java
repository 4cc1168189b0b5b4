package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.nvme.Namespace;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Namespaces as programs read them. */
final class DiskJson {
  private DiskJson() {}

  static List<Map<String, @Nullable Object>> of(List<Namespace> namespaces) {
    return namespaces.stream().map(each -> of(each).map()).toList();
  }

  /** Says of those that have zones what these are like. */
  static List<Map<String, @Nullable Object>> of(
      List<Namespace> namespaces, Map<Integer, CountedZones> zones) {
    return namespaces.stream().map(each -> of(each, zones.get(each.id())).map()).toList();
  }

  private static Json of(Namespace namespace, @Nullable CountedZones zones) {
    return of(namespace).with("zones", zones == null ? null : zones.json());
  }

  private static Json of(Namespace namespace) {
    return Json.object()
        .with("namespace", namespace.id())
        .with("blocks", namespace.blocks())
        .with("blockSize", namespace.blockSize())
        .with("bytes", namespace.size());
  }
}
