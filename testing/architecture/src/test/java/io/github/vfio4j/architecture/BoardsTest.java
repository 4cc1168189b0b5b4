package io.github.vfio4j.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import org.junit.jupiter.api.Test;

/** That of the monitor only one package knows a kind of processor, and one class chooses it. */
class BoardsTest {
  private static final String X86 = "io.github.vfio4j.vmm.x86..";

  @Test
  void whatIsOfOneKindOfProcessorStaysInItsPackage() {
    noClasses()
        .that()
        .resideInAnyPackage(Layer.VMM.packages())
        .and()
        .resideOutsideOfPackage(X86)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.github.vfio4j.bindings.x86..", "io.github.vfio4j.bindings.arm64..")
        .check(Build.CLASSES);
  }

  @Test
  void oneClassChoosesTheBoard() {
    noClasses()
        .that()
        .resideOutsideOfPackage(X86)
        .and()
        .doNotHaveFullyQualifiedName("io.github.vfio4j.vmm.VirtualMachine")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(X86)
        .check(Build.CLASSES);
  }
}
