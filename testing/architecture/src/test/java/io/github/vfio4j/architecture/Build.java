package io.github.vfio4j.architecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The modules of the build, as Maven has compiled them. */
final class Build {
  static final Path ROOT = Path.of("../..");

  private static final Pattern MODULE = Pattern.compile("<module>(.*)</module>");
  private static final String THIS = "testing/architecture";

  /** All classes of all modules, without those of tests. */
  static final JavaClasses CLASSES = new ClassFileImporter().importPaths(classFolders());

  private Build() {}

  /** Returns the folders of all modules with classes but this one, from the root. */
  static List<String> modules() {
    return MODULE
        .matcher(pom("."))
        .results()
        .map(MatchResult::group)
        .map(element -> MODULE.matcher(element).replaceAll("$1"))
        .filter(folder -> Files.isDirectory(ROOT.resolve(folder, "src/main/java")))
        .filter(folder -> !folder.equals(THIS))
        .toList();
  }

  private static String pom(String folder) {
    try {
      return Files.readString(ROOT.resolve(folder, "pom.xml"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the folders of the modules that other people's programs are made with. */
  static List<String> publishedModules() {
    return modules().stream()
        .filter(folder -> !pom(folder).contains("<internal>true</internal>"))
        .toList();
  }

  /** Returns where a module's classes are. */
  static Path classes(String folder) {
    Path classes = ROOT.resolve(folder, "target/classes");
    if (!Files.isDirectory(classes)) {
      throw new IllegalStateException(
          folder + " is not compiled: " + THIS + "/pom.xml has to depend on it");
    }
    return classes;
  }

  /** Returns the {@code module-info} of a module. */
  static ModuleDescriptor descriptor(String folder) {
    return ModuleFinder.of(classes(folder)).findAll().iterator().next().descriptor();
  }

  /** Returns the packages that a module exports to everybody. */
  static Set<String> exports(String folder) {
    return descriptor(folder).exports().stream()
        .filter(exports -> !exports.isQualified())
        .map(ModuleDescriptor.Exports::source)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static List<Path> classFolders() {
    return modules().stream().map(Build::classes).toList();
  }
}
