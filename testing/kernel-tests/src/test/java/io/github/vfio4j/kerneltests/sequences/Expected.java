package io.github.vfio4j.kerneltests.sequences;

import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What may come of a call, as the model says.
 *
 * @param returning whether it may return
 * @param exceptions what it may throw
 */
record Expected(boolean returning, Set<Class<? extends Exception>> exceptions) {
  static final Expected RETURNS = new Expected(true, Set.of());
  static final Expected CLOSED = refused(IllegalStateException.class);
  static final Expected BAD = refused(IllegalArgumentException.class);

  static Expected refused(Class<? extends Exception> why) {
    return new Expected(false, Set.of(why));
  }

  Expected or(Expected other) {
    Set<Class<? extends Exception>> both = new LinkedHashSet<>(exceptions);
    both.addAll(other.exceptions);
    return new Expected(returning || other.returning, both);
  }

  boolean allows(@Nullable Exception thrown) {
    return thrown == null
        ? returning
        : exceptions.stream().anyMatch(allowed -> allowed.isInstance(thrown));
  }
}
