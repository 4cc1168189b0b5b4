package io.github.vfio4j.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a user prints says what it is. */
class DescriptionsTest {
  private static final String OURS = "io.github.vfio4j";

  @Test
  void everyObjectOfCoreThatAUserMeetsDescribesItself() {
    classes()
        .that(resideInAnyPackage(Layer.CORE.packages()))
        .and(describe("are met by users", DescriptionsTest::isMet))
        .and(describe("have instances of their own", DescriptionsTest::hasInstances))
        .should(new HaveToString())
        .check(Build.CLASSES);
  }

  /** Public and exported, or what stands behind an interface that users program against. */
  private static boolean isMet(JavaClass type) {
    boolean exported = Build.exports("core").contains(type.getPackageName());
    return (exported && type.getModifiers().contains(JavaModifier.PUBLIC))
        || type.getAllRawInterfaces().stream().anyMatch(it -> it.getPackageName().equals(OURS));
  }

  private static boolean hasInstances(JavaClass type) {
    return !type.isInterface()
        && !type.isEnum()
        && !type.isAnonymousClass()
        && !type.isAssignableTo(Throwable.class)
        && !type.getModifiers().contains(JavaModifier.ABSTRACT)
        && Stream.concat(type.getMethods().stream(), type.getFields().stream())
            .map(JavaMember::getModifiers)
            .anyMatch(modifiers -> !modifiers.contains(JavaModifier.STATIC));
  }

  private static final class HaveToString extends ArchCondition<JavaClass> {
    HaveToString() {
      super("have a toString of this project");
    }

    @Override
    public void check(JavaClass type, ConditionEvents events) {
      boolean has =
          type.getAllMethods().stream()
              .filter(method -> method.getName().equals("toString"))
              .filter(method -> method.getRawParameterTypes().isEmpty())
              .anyMatch(method -> method.getOwner().getPackageName().startsWith(OURS));
      if (!has) {
        events.add(SimpleConditionEvent.violated(type, type.getName() + " has no toString"));
      }
    }
  }
}
