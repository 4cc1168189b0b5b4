package io.github.vfio4j.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.PackageMatchers;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Collection;
import java.util.stream.Stream;

/** A rule: of this project, a part uses only what it may. */
final class UseOnly extends ArchCondition<JavaClass> {
  private final PackageMatchers mayUse;

  /** Makes the rule for a part, which may use itself and these. */
  UseOnly(Part user, Collection<? extends Part> others) {
    super("of this project use only " + others);
    mayUse =
        PackageMatchers.of(
            Stream.concat(Stream.of(user), others.stream())
                .map(Part::packages)
                .flatMap(Stream::of)
                .toList());
  }

  @Override
  public void check(JavaClass type, ConditionEvents events) {
    Uses.of(type)
        .forEach(
            (name, use) -> {
              if (!mayUse.test(name)) {
                events.add(SimpleConditionEvent.violated(type, use));
              }
            });
  }
}
