package io.github.vfio4j.kerneltests.random;

import io.github.vfio4j.VfioException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Objects that calls have returned, some of them closed by now, for other calls to use. Of each
 * class the last few are kept; what has to be closed stays known until it has been.
 */
final class Pool {
  private static final int OF_A_CLASS = 6;
  private static final int ROUNDS = 5;

  private final Map<Class<?>, Deque<Object>> kinds = new HashMap<>();
  private final Set<AutoCloseable> open = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Adds an object and returns the one that has to be closed for it, if any. */
  synchronized Optional<AutoCloseable> add(Object object) {
    Deque<Object> kind = kinds.computeIfAbsent(object.getClass(), _ -> new ArrayDeque<>());
    if (kind.contains(object)) {
      return Optional.empty();
    }
    kind.addLast(object);
    if (object instanceof AutoCloseable closeable) {
      open.add(closeable);
    }
    return kind.size() > OF_A_CLASS && kind.removeFirst() instanceof AutoCloseable closeable
        ? Optional.of(closeable)
        : Optional.empty();
  }

  /** Any object of a type. */
  synchronized Optional<Object> any(Class<?> type, RandomGenerator random) {
    List<Object> all =
        kinds.entrySet().stream()
            .filter(kind -> type.isAssignableFrom(kind.getKey()))
            .map(Map.Entry::getValue)
            .flatMap(Collection::stream)
            .toList();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }

  /** Closes an object for good, unless the kernel refuses. */
  void close(AutoCloseable object) throws Exception {
    object.close();
    forget(object);
  }

  /** Lets nobody use an object again, which has been closed. */
  synchronized void forget(AutoCloseable object) {
    open.remove(object);
    Deque<Object> kind = kinds.get(object.getClass());
    if (kind != null) {
      kind.remove(object);
    }
  }

  /**
   * Closes everything; what is refused is tried again when the others are closed.
   *
   * @return why something could not be closed
   */
  synchronized List<VfioException> closeAll() {
    List<VfioException> refusals = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      refusals.clear();
      for (AutoCloseable object : open) {
        try {
          object.close();
        } catch (VfioException e) {
          refusals.add(e);
        } catch (Exception e) {
          throw new AssertionError("closing " + object, e);
        }
      }
    }
    open.clear();
    kinds.clear();
    return refusals;
  }
}
