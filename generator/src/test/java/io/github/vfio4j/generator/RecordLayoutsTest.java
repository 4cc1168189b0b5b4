package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class RecordLayoutsTest {

  private static final RecordLayouts LAYOUTS =
      new RecordLayouts(
          """

          *** Dumping AST Record Layout
                   0 | struct inner
                   0 |   int x
                     | [sizeof=4, align=4]

          *** Dumping AST Record Layout
                   0 | struct outer
                   0 |   unsigned char first
               1:0-2 |   unsigned char three
               1:3-3 |   unsigned char one
                   4 |   struct inner held
                   4 |     int x
                   8 |   union outer::(unnamed at a.h:1:1)\s
                   8 |     int left
                   8 |     int right
                  12 |   int last
                     | [sizeof=16, align=4]
          """);

  @Test
  void readsBitsAndLooksIntoAnonymousMembersOnly() {
    assertThat(LAYOUTS.of(List.of("first", "three", "one", "held", "left", "right", "last")))
        .containsEntry("first", 0)
        .containsEntry("three", 8)
        .containsEntry("one", 11)
        .containsEntry("held", 32)
        .containsEntry("right", 64)
        .containsEntry("last", 96);
  }

  @Test
  void refusesAStructItHasNotSeen() {
    assertThatThrownBy(() -> LAYOUTS.of(List.of("y"))).hasMessageContaining("[y]");
  }
}
