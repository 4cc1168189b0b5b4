package io.github.vfio4j.generator;

import java.util.function.Predicate;

/**
 * The place of a struct: a type with a tag, or a field of one whose own type has none.
 *
 * @param root the type with a tag, such as {@code struct kvm_run}
 * @param path the way from there, such as {@code system_event}; empty for the root itself
 */
record Place(String root, String path) {

  Place field(String name) {
    return new Place(root, path.isEmpty() ? name : path + "." + name);
  }

  /** The C expression for the size of what is here. */
  String size() {
    return "sizeof(" + type() + ")";
  }

  /** The C expression for its alignment. */
  String alignment() {
    return "_Alignof(" + type() + ")";
  }

  /** The C expression for the offset of a field of it, from where it starts. */
  String offset(String field) {
    String whole = "__builtin_offsetof(" + root + ", " + field(field).path + ")";
    return path.isEmpty() ? whole : whole + " - __builtin_offsetof(" + root + ", " + path + ")";
  }

  boolean isOmitted(String field, Predicate<String> omitted) {
    return omitted.test(root.substring(root.indexOf(' ') + 1) + "." + field(field).path);
  }

  private String type() {
    return path.isEmpty() ? root : "__typeof__(((" + root + " *)0)->" + path + ")";
  }
}
