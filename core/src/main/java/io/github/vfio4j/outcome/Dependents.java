package io.github.vfio4j.outcome;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What was made from an object and must end before it, oldest first.
 *
 * <p>Thread-safe; its lock is never held while something is closed, so it may be used with any
 * other lock held.
 */
public final class Dependents {
  private final Map<Object, Step> closings = new LinkedHashMap<>();
  private boolean ended;

  /** Takes note of an object and of how it is closed; closing it has to remove it from here. */
  public synchronized void add(Object dependent, Step closing) {
    closings.put(dependent, closing);
  }

  /**
   * Takes note of an object as {@link #add} does, unless there is one such already.
   *
   * @return whether it did
   */
  public synchronized boolean addUnless(Predicate<Object> such, Object dependent, Step closing) {
    if (closings.keySet().stream().anyMatch(such)) {
      return false;
    }
    closings.put(dependent, closing);
    return true;
  }

  /**
   * Takes note of an object as {@link #add} does, unless there are to be {@linkplain #end no more}.
   * An object that is added while it is empty, before the kernel is asked for it, ends with its
   * owner, even if that is being closed meanwhile.
   *
   * @return whether it did
   */
  public synchronized boolean addBeforeEnd(Object dependent, Step closing) {
    if (ended) {
      return false;
    }
    closings.put(dependent, closing);
    return true;
  }

  /** Turns away what {@link #addBeforeEnd} would add from now on. */
  public synchronized void end() {
    ended = true;
  }

  public synchronized void remove(Object dependent) {
    closings.remove(dependent);
  }

  public synchronized boolean contains(Object dependent) {
    return closings.containsKey(dependent);
  }

  public synchronized boolean isEmpty() {
    return closings.isEmpty();
  }

  /** Returns whether one of them is such. */
  public boolean anyMatch(Predicate<Object> such) {
    return oldestFirst().stream().anyMatch(such);
  }

  /** Returns those that there are now, the oldest first. */
  public synchronized List<Object> oldestFirst() {
    return new ArrayList<>(closings.keySet());
  }

  private synchronized @Nullable Step closing(Object dependent) {
    return closings.get(dependent);
  }

  /**
   * Closes all, the youngest first, and goes on after failures.
   *
   * @return whether none is left
   */
  public boolean close(Closing outcome) {
    for (Object dependent : oldestFirst().reversed()) {
      Step closing = closing(dependent);
      if (closing != null) { // it may have ended with another one
        outcome.attempt(closing);
      }
    }
    return isEmpty();
  }
}
