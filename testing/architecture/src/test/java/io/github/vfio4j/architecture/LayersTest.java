package io.github.vfio4j.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which way the arrows between modules point, and that none come back. */
class LayersTest {
  private static final String OURS = "io.github.vfio4j..";
  private static final String NULLNESS = "org.jspecify.annotations..";

  @Test
  void everyClassIsOfALayer() {
    String[] layers =
        Stream.of(Layer.values()).map(Layer::packages).flatMap(Stream::of).toArray(String[]::new);
    classes().should().resideInAnyPackage(layers).check(Build.CLASSES);
  }

  @ParameterizedTest
  @EnumSource
  void usesOnlyWhatItMay(Layer user) {
    classes()
        .that()
        .resideInAnyPackage(user.packages())
        .should(new UseOnly(user, user.uses()))
        .check(Build.CLASSES);
  }

  @Test
  void onlyModelsAndTheMonitorReachWhatCoreDoesNotExport() {
    Set<String> hidden = new TreeSet<>(Build.descriptor("core").packages());
    hidden.removeAll(Build.exports("core"));
    assertHidden(hidden, Layer.CORE, Layer.MODEL, Layer.VMM, Layer.CLI);
    hidden.remove(CorePackage.EXEC.fullName()); // by which the command becomes another program
    assertHidden(hidden, Layer.CORE, Layer.MODEL, Layer.VMM);
  }

  private static void assertHidden(Set<String> hidden, Layer... knowing) {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            Stream.of(knowing).map(Layer::packages).flatMap(Stream::of).toArray(String[]::new))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(hidden.toArray(String[]::new))
        .check(Build.CLASSES);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().assignedFrom(new Packages()).should().beFreeOfCycles().check(Build.CLASSES);
  }

  @Test
  void theBindingsAndTheSystemCallsNeedOnlyJava() {
    classes()
        .that(
            resideInAnyPackage(Layer.BINDINGS.packages())
                .or(resideInAnyPackage(Layer.LINUX.packages())))
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(OURS, "java..", NULLNESS)
        .check(Build.CLASSES);
  }

  @Test
  void coreNeedsOnlyJavaAndItsFlightRecorder() {
    classes()
        .that()
        .resideInAnyPackage(Layer.CORE.packages())
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(OURS, "java..", "jdk.jfr..", NULLNESS)
        .check(Build.CLASSES);
  }

  private static final class Packages implements SliceAssignment {
    @Override
    public SliceIdentifier getIdentifierOf(JavaClass type) {
      return SliceIdentifier.of(type.getPackageName());
    }

    @Override
    public String getDescription() {
      return "packages";
    }
  }
}
