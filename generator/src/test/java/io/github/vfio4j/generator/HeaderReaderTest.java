package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is read from a small header that has one of everything. */
@NeedsClang
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HeaderReaderTest {

  static final Path HEADERS = Path.of("src/test/resources/headers");

  private Map<String, Constant> constants = Map.of();
  private Map<String, Struct> structs = Map.of();

  @BeforeAll
  void read() {
    Header header =
        new HeaderReader(new Clang("clang", HEADERS, Target.X86))
            .read(
                List.of("linux/fixture.h"), Selection.of(List.of("*", "!plain.tail"), Target.X86));
    constants =
        header.constants().stream().collect(Collectors.toMap(Constant::name, Function.identity()));
    structs =
        header.structs().stream().collect(Collectors.toMap(Struct::name, Function.identity()));
  }

  @Test
  void constantsKeepTheirBitsAndTheirValue() {
    assertConstant("FIXTURE_NUMBER", "int", "42");
    assertConstant("FIXTURE_NEGATIVE", "int", "-1");
    assertConstant("FIXTURE_TOP_BIT", "int", "0x80000000");
    assertConstant("FIXTURE_TOP_BIT_OF_LONG", "long", "0x80000000L");
    assertConstant("FIXTURE_LARGE", "long", "0x8000000000000001L");
    assertConstant("FIXTURE_SMALL_LONG", "int", "32");
    assertConstant("FIXTURE_STRING", "String", "\"fixture\"");
  }

  @Test
  void anIoctlIsAnInt() {
    // a struct of 24 bytes, read, in what C makes a 64-bit number
    assertConstant("FIXTURE_GET", "int", "0x8018ae03");
  }

  @Test
  void enumeratorsCountOnAndAreThereOnce() {
    assertConstant("FIXTURE_FIRST", "int", "0");
    assertConstant("FIXTURE_TENTH", "int", "10");
    assertConstant("FIXTURE_ELEVENTH", "int", "11");
    assertThat(constant("FIXTURE_TENTH").declaration()).isEqualTo("fixture_kind");
  }

  @Test
  void whatIsNotAConstantIsLeftAlone() {
    assertThat(constants)
        .doesNotContainKeys(
            "LINUX_FIXTURE_H",
            "FIXTURE_FUNCTION",
            "FIXTURE_NOT_A_VALUE",
            "FIXTURE_UNKNOWN",
            "FIXTURE_GONE");
  }

  @Test
  void paddingMovesFields() {
    assertThat(struct("plain").size().asLong()).isEqualTo(24);
    assertThat(offset("plain", "small")).isZero();
    assertThat(offset("plain", "number")).isEqualTo(4);
    assertThat(offset("plain", "wide")).isEqualTo(8);
    assertThat(field("plain", "wide").isAligned()).isTrue();
  }

  @Test
  void aFieldCanBeLeftOut() {
    assertThat(struct("plain").fields().map(Member.Named::name)).doesNotContain("tail");
    assertThat(struct("plain").leavesOut()).isTrue();
  }

  @Test
  void packedFieldsAreNotAligned() {
    assertThat(struct("packed").size().asLong()).isEqualTo(13);
    assertThat(offset("packed", "wide")).isEqualTo(5);
    assertThat(field("packed", "wide").isAligned()).isFalse();
    assertThat(field("packed", "small").isAligned()).isTrue();
  }

  @Test
  void fieldsOfAnonymousMembersCountFromTheWhole() {
    assertThat(struct("anonymous").fields().map(Member.Named::name))
        .containsExactly("tag", "number", "low", "high", "named");
    assertThat(offset("anonymous", "number")).isEqualTo(4);
    assertThat(offset("anonymous", "high")).isEqualTo(6);
    assertThat(offset("anonymous", "named")).isEqualTo(8);
  }

  @Test
  void aTypeWithoutATagIsNestedAndCountsFromItsOwnStart() {
    Struct named = struct("anonymous").nested().findFirst().orElseThrow();
    assertThat(named.name()).isEqualTo("named");
    assertThat(named.union()).isTrue();
    assertThat(named.size().asLong()).isEqualTo(8);
    assertThat(named.fields().map(field -> ((Field) field).offset().asLong()))
        .containsExactly(0L, 0L);
  }

  @Test
  void bitFieldsTellTheirWordShiftAndSign() {
    assertBits("three", 4, 0, 3, 0);
    assertBits("four", 4, 3, 4, 1);
    assertBits("one", 4, 12, 1, 0);
    // bit 45 of the first 64 is the next, where 40 do not fit: they start the second 64
    assertBits("wide", 8, 0, 40, 0);
  }

  @Test
  void aFlexibleArrayHasAnElementButNoSize() {
    Field items = field("flexible", "items");
    assertThat(items.flexible()).isTrue();
    assertThat(items.offset().asLong()).isEqualTo(8);
    assertThat(items.elementSize().asLong()).isEqualTo(24);
    assertThat(items.size()).isZero();
    assertThat(struct("flexible").size().asLong()).isEqualTo(8);
  }

  @Test
  void arraysHaveDimensions() {
    assertThat(field("arrays", "grid").dimensions()).containsExactly(2L, 3L);
    assertThat(field("arrays", "grid").elementSize().asLong()).isEqualTo(1);
    assertThat(offset("arrays", "pair")).isEqualTo(6);
    assertThat(offset("arrays", "plains")).isEqualTo(16);
    assertThat(field("arrays", "plains").size()).isEqualTo(48);
    assertThat(field("arrays", "points").declaration()).isEqualTo("struct points[4]");
    assertThat(offset("arrays", "pointer")).isEqualTo(80);
    assertThat(field("arrays", "pointer").declaration()).isEqualTo("void *pointer");
  }

  @Test
  void aUnionIsAsLargeAsItsAlignmentAsks() {
    assertThat(struct("choice").union()).isTrue();
    assertThat(struct("choice").size().asLong()).isEqualTo(8);
  }

  @Test
  void integersOf128BitsAreTwoLongs() {
    assertThat(field("wide", "registers").dimensions()).containsExactly(2L, 2L);
    assertThat(field("wide", "registers").elementSize().asLong()).isEqualTo(8);
    assertThat(struct("wide").alignment().asLong()).isEqualTo(16);
  }

  @Test
  void whatAStructHoldsComesWithItFromAnyHeader() {
    assertThat(structs).containsKey("of_the_target");
  }

  private void assertConstant(String name, String javaType, String literal) {
    assertThat(constant(name).javaType()).isEqualTo(javaType);
    assertThat(constant(name).literal()).isEqualTo(literal);
  }

  private void assertBits(String name, long offset, int shift, int width, long signed) {
    BitField bits =
        (BitField)
            struct("bits").fields().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
    assertThat(bits.offset()).as(name).isEqualTo(offset);
    assertThat(bits.shift()).as(name).isEqualTo(shift);
    assertThat(bits.width()).as(name).isEqualTo(width);
    assertThat(bits.signed().asLong()).as(name).isEqualTo(signed);
  }

  private Constant constant(String name) {
    return Objects.requireNonNull(constants.get(name), name);
  }

  private Struct struct(String name) {
    return Objects.requireNonNull(structs.get(name), name);
  }

  private Field field(String struct, String name) {
    return (Field)
        struct(struct).fields().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
  }

  private long offset(String struct, String name) {
    return field(struct, name).offset().asLong();
  }
}
