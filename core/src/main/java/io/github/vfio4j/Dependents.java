package io.github.vfio4j;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What was made from one object of an iommufd and must end before it, oldest first. Guarded by the
 * monitor of the iommufd.
 */
final class Dependents {
  private final Map<Object, FirstFailure.Step> closings = new LinkedHashMap<>();

  /** Takes note of an object and of how it is closed; closing it has to remove it from here. */
  void add(Object dependent, FirstFailure.Step closing) {
    closings.put(dependent, closing);
  }

  void remove(Object dependent) {
    closings.remove(dependent);
  }

  boolean isEmpty() {
    return closings.isEmpty();
  }

  /** Tells whether an object was made from this one, or from one that was. */
  boolean reach(Object object) {
    return closings.containsKey(object)
        || closings.keySet().stream()
            .anyMatch(
                dependent ->
                    dependent instanceof IommufdObject made && made.dependents().reach(object));
  }

  /**
   * Closes all, the youngest first, and goes on after failures.
   *
   * @return whether none is left
   */
  boolean close(FirstFailure failure) {
    List<Object> oldestFirst = new ArrayList<>(closings.keySet());
    for (Object dependent : oldestFirst.reversed()) {
      FirstFailure.Step closing = closings.get(dependent);
      if (closing != null) { // it may have ended with another one
        failure.attempt(closing);
      }
    }
    return closings.isEmpty();
  }
}
