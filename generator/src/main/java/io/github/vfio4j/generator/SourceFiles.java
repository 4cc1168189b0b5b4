package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Returns which file each top-level declaration comes from. Clang's dump names a file only where it
 * differs from the last one named, so the tree has to be walked in its order.
 */
final class SourceFiles {
  private String current = "";

  private SourceFiles() {}

  /** The declarations of a translation unit by the file they stand in. */
  static Map<String, List<Node>> of(Node translationUnit) {
    SourceFiles files = new SourceFiles();
    Map<String, List<Node>> declarations = new LinkedHashMap<>();
    for (Node declaration : translationUnit.children()) {
      files.location(declaration.json().get("loc"));
      declarations.computeIfAbsent(files.current, _ -> new ArrayList<>()).add(declaration);
      files.rest(declaration.json());
    }
    return declarations;
  }

  private void rest(Map<?, ?> node) {
    if (node.get("range") instanceof Map<?, ?> range) {
      location(range.get("begin"));
      location(range.get("end"));
    }
    if (node.get("inner") instanceof List<?> inner) {
      for (Object child : inner) {
        if (child instanceof Map<?, ?> map) {
          location(map.get("loc"));
          rest(map);
        }
      }
    }
  }

  private void location(@Nullable Object location) {
    if (location instanceof Map<?, ?> map) {
      location(map.get("spellingLoc"));
      location(map.get("expansionLoc"));
      if (map.get("file") instanceof String file) {
        current = file;
      }
    }
  }
}
