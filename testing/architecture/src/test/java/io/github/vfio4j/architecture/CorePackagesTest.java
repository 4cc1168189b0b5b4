package io.github.vfio4j.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.PackageMatchers;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which way the arrows inside core point. */
class CorePackagesTest {
  /** What writes to sysfs, and asks the kernel for the error number. */
  private static final String WRITER = "io.github.vfio4j.sysfs.RunningFiles";

  @Test
  void everyPackageHasItsRow() {
    assertThat(Stream.of(CorePackage.values()).map(CorePackage::fullName))
        .containsExactlyInAnyOrderElementsOf(Build.descriptor("core").packages());
  }

  @ParameterizedTest
  @EnumSource
  void usesNoMoreThanItsRowSays(CorePackage user) {
    classes()
        .that()
        .resideInAPackage(user.fullName())
        .should(new UseOnly(user, user.uses()))
        .check(Build.CLASSES);
  }

  @ParameterizedTest
  @EnumSource
  void usesAllThatItsRowSays(CorePackage user) {
    assertThat(user.uses()).as("row of %s", user).allMatch(used -> uses(user, used));
  }

  @ParameterizedTest
  @EnumSource
  void standsAboveWhatItUses(CorePackage user) {
    assertThat(user.uses())
        .as("row of %s", user)
        .allMatch(used -> used instanceof Layer || user.compareTo((CorePackage) used) > 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"SYSFS", "DIAGNOSIS"})
  void lookingAtTheHostNeedsNoNativeCall(CorePackage user) {
    noClasses()
        .that()
        .resideInAPackage(user.fullName())
        .and()
        .doNotHaveFullyQualifiedName(WRITER)
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(Layer.LINUX.packages())
                .or(name("io.github.vfio4j.outcome.RunningKernel"))
                .or(resideInAnyPackage(Layer.BINDINGS.packages()))
                .or(resideInAPackage("java.lang.foreign..")))
        .check(Build.CLASSES);
  }

  @Test
  void writingToSysfsIsTheOnlyNativeCallThere() {
    assertThat(Build.CLASSES.get(WRITER).getDirectDependenciesFromSelf())
        .extracting(dependency -> dependency.getTargetClass().getPackageName())
        .anyMatch(PackageMatchers.of(Layer.LINUX.packages()));
  }

  private static boolean uses(CorePackage user, Part used) {
    PackageMatchers target = PackageMatchers.of(used.packages());
    return Build.CLASSES.that(resideInAPackage(user.fullName())).stream()
        .flatMap(type -> Uses.of(type).keySet().stream())
        .anyMatch(target);
  }
}
