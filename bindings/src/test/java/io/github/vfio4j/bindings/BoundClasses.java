package io.github.vfio4j.bindings;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** All public top-level classes of the module. */
final class BoundClasses {
  private BoundClasses() {}

  static List<Class<?>> all() {
    try {
      URI location = vfio_h.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      Path root = Path.of(location);
      try (Stream<Path> files = Files.walk(root)) {
        return files
            .map(file -> root.relativize(file).toString())
            .filter(name -> name.endsWith(".class") && !name.contains("$"))
            .filter(name -> !name.equals("module-info.class"))
            .map(name -> name.substring(0, name.length() - ".class".length()).replace('/', '.'))
            .sorted()
            .<Class<?>>map(BoundClasses::load)
            .toList();
      }
    } catch (IOException | URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** The classes of structs, those in structs included. */
  static Stream<BoundStruct> structs() {
    return all().stream()
        .filter(BoundStruct::isStruct)
        .map(BoundStruct::of)
        .flatMap(BoundClasses::withNested);
  }

  static Stream<BoundStruct> withNested(BoundStruct struct) {
    return Stream.concat(
        Stream.of(struct), struct.nested().stream().flatMap(BoundClasses::withNested));
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }
}
