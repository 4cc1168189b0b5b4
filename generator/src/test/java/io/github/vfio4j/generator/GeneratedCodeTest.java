package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Whether the classes written for a small header compile without a warning, and work. */
@NeedsClang
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GeneratedCodeTest {

  private static final String PACKAGE = "io.github.vfio4j.bindings.";

  private Map<String, String> sources = Map.of();
  private URLClassLoader classes = new URLClassLoader(new URL[0]);

  @BeforeAll
  void generateAndCompile(@TempDir Path directory) throws IOException {
    Map<Target, HeaderReader> readers = new EnumMap<>(Target.class);
    for (Target target : Target.values()) {
      readers.put(target, new HeaderReader(new Clang("clang", HeaderReaderTest.HEADERS, target)));
    }
    Bindings bindings = new Bindings(readers, "1.2", Since.of(List.of("1.1 plain")));
    bindings.add(List.of("linux/fixture.h", "asm/fixture.h"), Selection::all);
    sources = bindings.files();

    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("-d", directory.toString()));
    arguments.addAll(List.of("-Xlint:all", "-Xdoclint:all/protected", "-Werror"));
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = directory.resolve(source.getKey());
      Files.createDirectories(file.getParent());
      Files.writeString(file, source.getValue());
      arguments.add(file.toString());
    }
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, arguments.toArray(String[]::new));
    assertThat(status).as("javac").isZero();
    classes = new URLClassLoader(new URL[] {directory.toUri().toURL()});
  }

  @AfterAll
  void close() throws IOException {
    classes.close();
  }

  @Test
  void whatDiffersBetweenTargetsIsApart() throws Exception {
    assertThat(sources.keySet())
        .contains("io/github/vfio4j/bindings/plain.java")
        .contains("io/github/vfio4j/bindings/x86/of_the_target.java")
        .contains("io/github/vfio4j/bindings/arm64/of_the_target.java")
        .contains("io/github/vfio4j/bindings/x86/differs.java")
        .doesNotContain("io/github/vfio4j/bindings/differs.java");
    assertThat(constant("x86.fixture_x86_h", "FIXTURE_DIFFERS")).isEqualTo(1);
    assertThat(constant("arm64.fixture_arm64_h", "FIXTURE_DIFFERS")).isEqualTo(2);
    assertThat(constant("x86.fixture_x86_h", "FIXTURE_ONLY_HERE")).isEqualTo(1);
    assertThatThrownBy(() -> constant("fixture_h", "FIXTURE_DIFFERS"))
        .isInstanceOf(NoSuchFieldException.class);
  }

  @Test
  void tellsTheKernelAndTheFirstOneThatHadAName() throws Exception {
    assertThat(constant("fixture_h", "KERNEL_VERSION")).isEqualTo("1.2");
    assertThat(sources.get("io/github/vfio4j/bindings/plain.java"))
        .contains("{@code struct plain}, since Linux 1.1");
  }

  @Test
  void layoutsAreAsLargeAsTheStruct() throws Exception {
    for (String name : List.of("plain", "packed", "anonymous", "bits", "flexible", "wide")) {
      GroupLayout layout = (GroupLayout) constant(name, "LAYOUT");
      assertThat(layout.byteSize()).as(name).isEqualTo(constant(name, "SIZEOF"));
    }
    assertThat(((GroupLayout) constant("wide", "LAYOUT")).byteAlignment()).isEqualTo(16);
    assertThat(((GroupLayout) constant("packed", "LAYOUT")).byteAlignment()).isEqualTo(1);
  }

  @Test
  void packedFieldsAreReadAcrossWords() throws Exception {
    MemorySegment packed = MemorySegment.ofArray(new long[2]);
    assertThat(call("packed", "wide", packed, 0x0807060504030201L)).isNull();
    assertThat(packed.asSlice(5, 8).toArray(ValueLayout.JAVA_BYTE))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(call("packed", "wide", packed)).isEqualTo(0x0807060504030201L);
  }

  @Test
  void bitFieldsKeepTheirNeighboursAndTheirSign() throws Exception {
    MemorySegment bits = MemorySegment.ofArray(new long[2]);
    call("bits", "three", bits, 0b111);
    call("bits", "one", bits, 1);
    call("bits", "four", bits, -3);
    call("bits", "wide", bits, 0xffff_ffff_ffL);

    assertThat(bits.get(ValueLayout.JAVA_INT, 4)).isEqualTo(0b1_00000_1101_111);
    assertThat(bits.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(0xffff_ffff_ffL);
    assertThat(call("bits", "four", bits)).isEqualTo(-3);
    call("bits", "three", bits, 0xf0);
    assertThat(call("bits", "three", bits)).isEqualTo(0);
    assertThat(call("bits", "four", bits)).isEqualTo(-3);
  }

  @Test
  void elementsOfArraysHaveTheirPlace() throws Exception {
    MemorySegment arrays = MemorySegment.ofArray(new long[11]);
    call("arrays", "grid", arrays, 1L, 2L, (byte) 7);
    assertThat(arrays.get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 7);
    assertThatThrownBy(() -> call("arrays", "grid", arrays, 0L, 3L))
        .hasCauseInstanceOf(IndexOutOfBoundsException.class);

    MemorySegment point = (MemorySegment) call("arrays", "points", arrays, 3L);
    call("arrays$points", "x", point, 9);
    assertThat(arrays.get(ValueLayout.JAVA_INT, 64 + 3 * 4)).isEqualTo(9);
  }

  @Test
  void aFlexibleArrayGoesOnToTheEndOfTheSegment() throws Exception {
    MemorySegment flexible = MemorySegment.ofArray(new long[1 + 2 * 3]);
    MemorySegment second = (MemorySegment) call("flexible", "items", flexible, 1L);
    call("plain", "number", second, 5);
    assertThat(flexible.get(ValueLayout.JAVA_INT, 8 + 24 + 4)).isEqualTo(5);
    assertThat(((MemorySegment) call("flexible", "items", flexible)).byteSize()).isEqualTo(48);
    assertThatThrownBy(() -> call("flexible", "items", flexible, 2L))
        .hasCauseInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void reservedWordsGetAnUnderscore() throws Exception {
    MemorySegment segment = MemorySegment.ofArray(new byte[2]);
    call("reserved_words", "class_", segment, (byte) 3);
    assertThat(call("reserved_words", "class_", segment)).isEqualTo((byte) 3);
  }

  private Object constant(String className, String name) throws Exception {
    return classes.loadClass(PACKAGE + className).getField(name).get(null);
  }

  private Object call(String className, String name, Object... arguments) throws Exception {
    for (Method method : classes.loadClass(PACKAGE + className).getMethods()) {
      if (method.getName().equals(name) && accepts(method.getParameterTypes(), arguments)) {
        return method.invoke(null, arguments);
      }
    }
    throw new NoSuchMethodException(className + "." + name + Arrays.toString(arguments));
  }

  /** Whether the arguments are exactly of these types, primitive ones unboxed. */
  private static boolean accepts(Class<?>[] parameters, Object[] arguments) {
    if (parameters.length != arguments.length) {
      return false;
    }
    for (int i = 0; i < parameters.length; i++) {
      if (!MethodType.methodType(parameters[i]).wrap().returnType().isInstance(arguments[i])) {
        return false;
      }
    }
    return true;
  }
}
