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
    return namespaces.stream().map(DiskJson::of).toList();
  }

  private static Map<String, @Nullable Object> of(Namespace namespace) {
    return Json.object()
        .with("namespace", namespace.id())
        .with("blocks", namespace.blocks())
        .with("blockSize", namespace.blockSize())
        .with("bytes", namespace.size())
        .map();
  }
}
