package io.github.vfio4j.bindings;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

/** What the bindings must not do: know other modules, allocate, or reach outside a segment. */
class BindingsArchitectureTest {

  private static final JavaClasses BINDINGS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.github.vfio4j.bindings");

  @Test
  void dependOnTheJavaPlatformAlone() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.github.vfio4j.bindings..", "java.lang..", "java.util..", "org.jspecify.annotations")
        .check(BINDINGS);
  }

  @Test
  void neitherAllocateNorCall() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Arena.class, SegmentAllocator.class, Linker.class, SymbolLookup.class)
        .check(BINDINGS);
  }

  @Test
  void neverReachBeyondTheSegmentTheyAreGiven() {
    noClasses()
        .should()
        .callMethodWhere(target(nameMatching("reinterpret|ofAddress")))
        .check(BINDINGS);
  }

  @Test
  void haveNoState() {
    fields().should().beFinal().andShould().beStatic().check(BINDINGS);
    methods().should().haveModifier(JavaModifier.STATIC).check(BINDINGS);
  }
}
