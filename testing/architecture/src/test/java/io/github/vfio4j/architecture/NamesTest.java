package io.github.vfio4j.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import org.junit.jupiter.api.Test;

/** Names that say nothing: what cannot be named better is not one thing. */
class NamesTest {
  @Test
  void noClassIsATool() {
    noClasses()
        .should()
        .haveSimpleNameContaining("Util")
        .orShould()
        .haveSimpleNameEndingWith("Manager")
        .orShould()
        .haveSimpleNameEndingWith("Impl")
        .check(Build.CLASSES);
  }

  @Test
  void noPackageIsADrawer() {
    classes()
        .should()
        .resideOutsideOfPackages("..util..", "..common..", "..impl..", "..internal..")
        .check(Build.CLASSES);
  }
}
