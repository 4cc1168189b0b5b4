package io.github.vfio4j.bindings;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.UnionLayout;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The class of a struct, seen through reflection.
 *
 * @param type the class
 * @param root the tag of the struct in C, with its keyword
 * @param path where in that struct this one is, such as {@code system_event}; empty for the root
 */
record BoundStruct(Class<?> type, String root, String path) {

  static BoundStruct of(Class<?> type) {
    String keyword = constant(type, "LAYOUT") instanceof UnionLayout ? "union" : "struct";
    return new BoundStruct(type, keyword + " " + type.getSimpleName(), "");
  }

  static boolean isStruct(Class<?> type) {
    return Arrays.stream(type.getFields()).anyMatch(field -> field.getName().equals("LAYOUT"));
  }

  GroupLayout layout() {
    return (GroupLayout) constant(type, "LAYOUT");
  }

  long size() {
    return (Long) constant(type, "SIZEOF");
  }

  /** The names of the fields. */
  List<String> fields() {
    return Arrays.stream(type.getFields())
        .map(Field::getName)
        .filter(name -> name.endsWith("$OFFSET"))
        .map(name -> name.substring(0, name.length() - "$OFFSET".length()))
        .toList();
  }

  long offset(String field) {
    return (Long) constant(type, field + "$OFFSET");
  }

  boolean isBitField(String field) {
    return Arrays.stream(type.getFields()).anyMatch(f -> f.getName().equals(field + "$MASK"));
  }

  /** The shift and the unshifted mask of a bit-field. */
  int shift(String field) {
    return (Integer) constant(type, field + "$SHIFT");
  }

  long mask(String field) {
    return ((Number) constant(type, field + "$MASK")).longValue();
  }

  boolean isFlexible(String field) {
    return member(field) instanceof SequenceLayout sequence && sequence.elementCount() == 0;
  }

  /** The layout of a field, be it in an anonymous struct or union; bit-fields have none. */
  MemoryLayout member(String field) {
    return find(layout(), field, 0)
        .orElseThrow(() -> new AssertionError(type + " lays out no " + field))
        .layout();
  }

  /** The offset at which the layout has a field. */
  long offsetInLayout(String field) {
    return find(layout(), field, 0).orElseThrow().offset();
  }

  /** The layout of a field, or of an element of an array. */
  MemoryLayout element(String field) {
    MemoryLayout layout = member(field);
    while (layout instanceof SequenceLayout sequence) {
      layout = sequence.elementLayout();
    }
    return layout;
  }

  /** The structs without a tag that are declared in this one. */
  List<BoundStruct> nested() {
    return Arrays.stream(type.getClasses()).map(this::nested).toList();
  }

  private BoundStruct nested(Class<?> inner) {
    String name = inner.getSimpleName();
    String element = name + "[0]".repeat(dimensions(member(name)));
    return new BoundStruct(inner, root, path.isEmpty() ? element : path + "." + element);
  }

  private static int dimensions(MemoryLayout layout) {
    return layout instanceof SequenceLayout sequence ? 1 + dimensions(sequence.elementLayout()) : 0;
  }

  private record Found(long offset, MemoryLayout layout) {}

  private static Optional<Found> find(GroupLayout group, String name, long start) {
    long offset = start;
    for (MemoryLayout member : group.memberLayouts()) {
      if (member.name().equals(Optional.of(name))) {
        return Optional.of(new Found(offset, member));
      }
      if (member instanceof GroupLayout inner && member.name().isEmpty()) {
        Optional<Found> found = find(inner, name, offset);
        if (found.isPresent()) {
          return found;
        }
      }
      offset += group instanceof UnionLayout ? 0 : member.byteSize();
    }
    return Optional.empty();
  }

  private static Object constant(Class<?> type, String name) {
    try {
      return type.getField(name).get(null);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type + " has no " + name, e);
    }
  }
}
