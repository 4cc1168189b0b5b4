package io.github.vfio4j.fake;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** One object of an iommufd, and those that it keeps in use. */
final class FakeObject {
  private final List<FakeObject> uses;
  private final @Nullable FakeMappings mappings;
  private Runnable ending = () -> {};
  private int holders;

  private FakeObject(@Nullable FakeMappings mappings, List<FakeObject> uses) {
    this.mappings = mappings;
    this.uses = uses;
  }

  static FakeObject ioas(FakeMappings mappings) {
    return new FakeObject(mappings, List.of());
  }

  /** Makes an object of others; it translates what the first of them does. */
  static FakeObject of(FakeObject... uses) {
    return new FakeObject(uses.length == 0 ? null : uses[0].mappings, List.of(uses));
  }

  /** Returns what is mapped in the IOAS that it is, or was made from; null where there is none. */
  @Nullable FakeMappings mappings() {
    return mappings;
  }

  boolean isIoas() {
    return mappings != null && uses.isEmpty();
  }

  boolean uses(FakeObject other) {
    return uses.contains(other);
  }

  boolean isHeld() {
    return holders > 0;
  }

  /** Keeps it from being destroyed, as an open file of a queue does. */
  void hold() {
    holders++;
  }

  void release() {
    holders--;
  }

  /** Attaches a device, unless the pages that are mapped are not there. */
  int attach() {
    int answer = mappings == null ? 0 : mappings.attach();
    if (answer == 0) {
      hold();
    }
    return answer;
  }

  void detach() {
    release();
    if (mappings != null) {
      mappings.detach();
    }
  }

  /** Has something undone when it is destroyed. */
  void endWith(Runnable undo) {
    ending = undo;
  }

  void destroyed() {
    ending.run();
  }
}
