package io.github.vfio4j.outcome;

import io.github.vfio4j.VfioException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What a multi-step operation has done so far, and undoes unless it comes to its end.
 *
 * <pre>{@code
 * try (Rollback rollback = new Rollback()) {
 *   Fd file = rollback.make(() -> host.open(node), Fd::close);
 *   ...
 *   return rollback.done(new Opened(file));
 * }
 * }</pre>
 *
 * <p>It is undone whatever is thrown, the last step first; failures of undoing are attached to what
 * was thrown. There is room for each step before it is done: between the kernel's answer and
 * whoever is answerable for it, nothing is allocated.
 */
public final class Rollback implements AutoCloseable {
  private final Deque<Step> undoing = new ArrayDeque<>();

  /** What is made. */
  @FunctionalInterface
  public interface Making<T> {
    T run() throws VfioException;
  }

  /** How that is undone. */
  @FunctionalInterface
  public interface Undoing<T> {
    void run(T made) throws VfioException;
  }

  private static final class Made<T> implements Step {
    private final Undoing<? super T> undoing;
    private @Nullable T made;

    Made(Undoing<? super T> undoing) {
      this.undoing = undoing;
    }

    @Override
    public void run() throws VfioException {
      if (made != null) {
        undoing.run(made);
      }
    }
  }

  /** Makes something that is undone from the moment on that it is there. */
  public <T> T make(Making<? extends T> making, Undoing<? super T> undo) throws VfioException {
    Made<T> step = new Made<>(undo);
    undoing.push(step);
    T made = making.run();
    step.made = made;
    return made;
  }

  /**
   * Adds how a step is undone: before it is done, where undoing it does nothing until then, else
   * after it.
   */
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
