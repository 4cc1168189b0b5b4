package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The table of an iommufd's objects. Devices have their numbers from it, too. */
final class FakeObjects {
  private final TreeMap<Integer, FakeObject> objects = new TreeMap<>();
  private int lastId;

  int nextId() {
    return ++lastId;
  }

  int enter(FakeObject object) {
    objects.put(++lastId, object);
    return lastId;
  }

  /** Makes an object of others, and returns its number, or an error if one of them is not there. */
  int make(int... of) {
    FakeObject[] uses = new FakeObject[of.length];
    for (int i = 0; i < of.length; i++) {
      FakeObject used = objects.get(of[i]);
      if (used == null) {
        return -Errno.ENOENT.number();
      }
      uses[i] = used;
    }
    return enter(FakeObject.of(uses));
  }

  @Nullable FakeObject get(int id) {
    return objects.get(id);
  }

  /** Returns what is mapped in an IOAS, or null if that is none. */
  @Nullable FakeMappings ioas(int id) {
    FakeObject object = objects.get(id);
    return object == null || !object.isIoas() ? null : object.mappings();
  }

  int destroy(int id) {
    FakeObject object = objects.get(id);
    if (object == null) {
      return -Errno.ENOENT.number();
    }
    if (object.isHeld() || objects.values().stream().anyMatch(user -> user.uses(object))) {
      return -Errno.EBUSY.number();
    }
    lose(id);
    return 0;
  }

  void lose(int id) {
    FakeObject lost = objects.remove(id);
    if (lost != null) {
      lost.destroyed();
    }
  }

  /** Destroys all, the youngest first. */
  void closed() {
    List.copyOf(objects.descendingKeySet()).forEach(this::lose);
  }

  List<String> left() {
    List<String> left = new ArrayList<>();
    objects.forEach(
        (id, object) -> {
          left.add("object " + id);
          FakeMappings mappings = ioas(id);
          if (mappings != null) {
            left.addAll(mappings.left());
          }
        });
    return left;
  }
}
