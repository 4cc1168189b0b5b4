package io.github.vfio4j.generator;

import java.util.List;
import java.util.stream.Stream;

/**
 * A C struct or union.
 *
 * @param name its tag, or the name of the one field that has this type where it has no tag
 * @param union whether its members share their place
 * @param size its size in bytes
 * @param alignment its alignment in bytes
 * @param members what it consists of, in order
 */
record Struct(String name, boolean union, Fact size, Fact alignment, List<Member> members) {

  String keyword() {
    return union ? "union" : "struct";
  }

  /** Its named fields, those of anonymous members included. */
  Stream<Member.Named> fields() {
    return Member.fields(members);
  }

  /** Whether some of its members are not bound. */
  boolean leavesOut() {
    return members.stream().anyMatch(Member.LeftOut.class::isInstance);
  }

  /** The structs without a tag that are declared inside, one level down. */
  Stream<Struct> nested() {
    return fields()
        .filter(Field.class::isInstance)
        .map(field -> ((Field) field).type())
        .filter(Type.Inline.class::isInstance)
        .map(type -> ((Type.Inline) type).struct());
  }

  /** The tags of all structs that this one holds by value. */
  Stream<String> references() {
    return fields()
        .filter(Field.class::isInstance)
        .map(field -> ((Field) field).type())
        .flatMap(
            type ->
                switch (type) {
                  case Type.Tagged tagged -> Stream.of(tagged.name());
                  case Type.Inline inline -> inline.struct().references();
                  case Type.Scalar _ -> Stream.empty();
                });
  }
}
