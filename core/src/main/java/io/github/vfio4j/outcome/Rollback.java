package io.github.vfio4j.outcome;

import io.github.vfio4j.VfioException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a multi-step operation has done so far, and undoes unless it comes to its end.
 *
 * <pre>{@code
 * try (Rollback rollback = new Rollback()) {
 *   Fd file = host.open(node);
 *   rollback.add(file::close);
 *   ...
 *   return rollback.done(new Opened(file));
 * }
 * }</pre>
 *
 * <p>It is undone whatever is thrown, the last step first; failures of undoing are attached to what
 * was thrown.
 */
public final class Rollback implements AutoCloseable {
  private final Deque<Step> undoing = new ArrayDeque<>();

  /** Adds how a step that was just done is undone. */
  public void add(Step undo) {
    undoing.push(undo);
  }

  /** Keeps all that was done, and returns the result. */
  public <T> T done(T result) {
    undoing.clear();
    return result;
  }

  /** Undoes all steps, unless they are kept. */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    while (!undoing.isEmpty()) {
      closing.attempt(undoing.pop());
    }
    closing.rethrow();
  }
}
