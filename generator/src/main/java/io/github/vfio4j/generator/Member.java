package io.github.vfio4j.generator;

import java.util.List;
import java.util.stream.Stream;

/** What a struct consists of. */
sealed interface Member permits Member.Named, Member.Anonymous, Member.LeftOut {

  /** The named fields among members and in their anonymous structs and unions. */
  static Stream<Named> fields(List<Member> members) {
    return members.stream()
        .flatMap(
            member ->
                switch (member) {
                  case Named named -> Stream.of(named);
                  case Anonymous anonymous -> fields(anonymous.members());
                  case LeftOut _ -> Stream.empty();
                });
  }

  /** A member with a name. */
  sealed interface Named extends Member permits Field, BitField {
    /** Its name in C. */
    String name();

    /** Its declaration in C, without the semicolon. */
    String declaration();
  }

  /** A struct or union without tag and name: its fields count as its parent's. */
  record Anonymous(boolean union, List<Member> members) implements Member {}

  /** A field that the selection leaves out. */
  record LeftOut(String name) implements Member {}
}
