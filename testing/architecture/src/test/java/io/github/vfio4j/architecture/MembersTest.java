package io.github.vfio4j.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.members;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaMethod;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Composition, not inheritance: what only subclasses see is seen by every user's subclass. */
class MembersTest {
  @Test
  void nothingIsProtected() {
    members()
        .that()
        .areDeclaredInClassesThat(
            resideInAnyPackage(Layer.LINUX.packages())
                .or(resideInAnyPackage(Layer.CORE.packages()))
                .or(resideInAnyPackage(Layer.MODEL.packages()))
                .or(resideInAnyPackage(Layer.DRIVERS.packages())))
        .and(describe("override no method of Java", member -> !overridesJava(member)))
        .should()
        .notBeProtected()
        .check(Build.CLASSES);
  }

  private static boolean overridesJava(JavaMember member) {
    return member instanceof JavaMethod method
        && Stream.concat(
                method.getOwner().getAllRawSuperclasses().stream(),
                method.getOwner().getAllRawInterfaces().stream())
            .filter(type -> type.getPackageName().startsWith("java."))
            .anyMatch(type -> declares(type, method));
  }

  private static boolean declares(JavaClass type, JavaMethod method) {
    return type.getMethods().stream()
        .anyMatch(
            declared ->
                declared.getName().equals(method.getName())
                    && declared.getRawParameterTypes().equals(method.getRawParameterTypes()));
  }
}
