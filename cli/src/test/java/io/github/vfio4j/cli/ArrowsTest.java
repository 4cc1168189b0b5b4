package io.github.vfio4j.cli;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/**
 * Which way the arrows between modules and packages point; docs/architecture.md has the picture.
 */
class ArrowsTest {
  private static final String KERNEL_OBJECTS = "io.github.vfio4j";
  private static final String LINUX = "io.github.vfio4j.linux..";
  private static final String SYSFS = "io.github.vfio4j.sysfs..";
  private static final String DIAGNOSIS = "io.github.vfio4j.diagnosis..";
  private static final String SMMUV3 = "io.github.vfio4j.smmuv3..";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("io.github.vfio4j");

  private static void check(ArchRule rule) {
    rule.check(CLASSES);
  }

  @Test
  void modulesPointDown() {
    check(
        layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("bindings")
            .definedBy("io.github.vfio4j.bindings..")
            .layer("core")
            .definedBy(KERNEL_OBJECTS, LINUX, SYSFS, DIAGNOSIS, SMMUV3)
            .layer("edu")
            .definedBy("io.github.vfio4j.edu..")
            .layer("cli")
            .definedBy("io.github.vfio4j.cli..")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("edu")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("core")
            .mayOnlyBeAccessedByLayers("edu", "cli")
            .whereLayer("bindings")
            .mayOnlyBeAccessedByLayers("core"));
  }

  @Test
  void driversAndTheCommandStayOutOfInternals() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage("io.github.vfio4j.edu..", "io.github.vfio4j.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(LINUX));
  }

  @Test
  void lookingAtSysfsNeedsNoNativeCall() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(SYSFS, DIAGNOSIS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(LINUX, "io.github.vfio4j.bindings..", "java.lang.foreign.."));
  }

  @Test
  void theSystemCallsKnowNothingOfTheObjectsAboveThem() {
    check(
        classes()
            .that()
            .resideInAPackage(LINUX)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                LINUX, "io.github.vfio4j.bindings..", "java..", "org.jspecify.annotations.."));
  }

  @Test
  void rawAddressesStayInOnePackage() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(LINUX)
            .should()
            .callMethodWhere(
                target(owner(HasName.Predicates.name(MemorySegment.class.getName())))
                    .and(target(nameMatching("reinterpret|ofAddress"))))
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.Linker"));
  }

  @Test
  void theBindingsStandAlone() {
    check(
        classes()
            .that()
            .resideInAPackage("io.github.vfio4j.bindings..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                "io.github.vfio4j.bindings..", "java..", "org.jspecify.annotations.."));
  }

  @Test
  void coreNeedsNothingAtRunTime() {
    check(
        classes()
            .that()
            .resideInAnyPackage(KERNEL_OBJECTS, LINUX, SYSFS, DIAGNOSIS, SMMUV3)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                "io.github.vfio4j..", "java..", "jdk.jfr..", "org.jspecify.annotations.."));
  }
}
