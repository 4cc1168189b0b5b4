package io.github.vfio4j.generator;

/** The type of a field, or of the elements of an array. */
sealed interface Type {

  /** An integer or an address. */
  record Scalar() implements Type {}

  /** A struct or union with a tag, declared elsewhere. */
  record Tagged(String name) implements Type {}

  /** A struct or union without a tag, declared in place. */
  record Inline(Struct struct) implements Type {}
}
