package io.github.vfio4j.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

/**
 * Which packages of this project a class uses. That is more than ArchUnit sees: of a constant that
 * the compiler has copied, only the name of its class is left.
 */
final class Uses {
  private static final String OURS = "io.github.vfio4j";

  private Uses() {}

  /** Returns the packages, and for each how a failure tells of it. */
  static Map<String, String> of(JavaClass type) {
    Map<String, String> uses = new TreeMap<>();
    StreamSupport.stream(read(type).constantPool().spliterator(), false)
        .filter(ClassEntry.class::isInstance)
        .map(entry -> ((ClassEntry) entry).asInternalName().replace('/', '.'))
        .filter(name -> name.startsWith(OURS))
        .forEach(
            name ->
                uses.put(
                    name.substring(0, name.lastIndexOf('.')), type.getName() + " uses " + name));
    type.getDirectDependenciesFromSelf().stream()
        .filter(dependency -> dependency.getTargetClass().getPackageName().startsWith(OURS))
        .forEach(
            dependency ->
                uses.put(
                    dependency.getTargetClass().getPackageName(), dependency.getDescription()));
    return uses;
  }

  private static ClassModel read(JavaClass type) {
    try {
      return ClassFile.of()
          .parse(Files.readAllBytes(Path.of(type.getSource().orElseThrow().getUri())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
