package io.github.vfio4j.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertAll;

import io.github.vfio4j.bindings.x86.kvm_ioapic_state;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.ThrowingConsumer;

/** Whether layouts, offsets and accessors of a struct agree with one another. */
class StructAccessTest {

  /** More elements than any flexible array is tried with. */
  private static final int ROOM = 4096;

  @Test
  void layoutHasEveryFieldAtItsOffset() {
    eachStruct(
        struct -> {
          assertThat(struct.layout().byteSize()).isEqualTo(struct.size());
          for (String field : struct.fields()) {
            if (!struct.isBitField(field)) {
              assertThat(struct.offsetInLayout(field)).as(field).isEqualTo(struct.offset(field));
            }
          }
        });
  }

  @Test
  void accessorsTouchTheirFieldAndNothingElse() {
    eachStruct(
        struct -> {
          for (Method method : struct.type().getMethods()) {
            if (isSetter(struct, method) && !struct.isBitField(fieldOf(method))) {
              writeAndRead(struct, method);
            }
          }
        });
  }

  @Test
  void slicesCoverTheirFieldAndNothingElse() {
    eachStruct(
        struct -> {
          for (Method method : struct.type().getMethods()) {
            if (method.getReturnType() == MemorySegment.class) {
              checkSlices(struct, method);
            }
          }
        });
  }

  @Test
  void anIndexBeyondAnArrayIsRefused() {
    eachStruct(
        struct -> {
          for (Method method : struct.type().getMethods()) {
            if (isSetter(struct, method)
                && method.getParameterCount() == 3
                && !struct.isFlexible(fieldOf(method))) {
              long length = lengths(struct, fieldOf(method), 1)[0];
              assertThatThrownBy(() -> readBeyond(struct, method, length))
                  .as(method.getName())
                  .hasCauseInstanceOf(IndexOutOfBoundsException.class);
            }
          }
        });
  }

  @Test
  void bitFieldsShareTheirWord() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fields = arena.allocate(kvm_ioapic_state.redirtbl.fields.LAYOUT);
      fields.fill((byte) 0xff);

      kvm_ioapic_state.redirtbl.fields.polarity(fields, 0);
      kvm_ioapic_state.redirtbl.fields.delivery_mode(fields, 0b101);

      assertThat(fields.get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 0b1101_1101);
      assertThat(kvm_ioapic_state.redirtbl.fields.delivery_mode(fields)).isEqualTo(0b101);
      assertThat(kvm_ioapic_state.redirtbl.fields.polarity(fields)).isZero();
      assertThat(kvm_ioapic_state.redirtbl.fields.trig_mode(fields)).isEqualTo(1);
    }
  }

  /** Checks every struct, and tells all that fail by name. */
  private static void eachStruct(ThrowingConsumer<BoundStruct> check) {
    assertAll(
        BoundClasses.structs()
            .map(
                struct ->
                    () -> {
                      try {
                        check.accept(struct);
                      } catch (AssertionError | Exception e) {
                        throw new AssertionError(struct.type().getName(), e);
                      }
                    }));
  }

  private static boolean isSetter(BoundStruct struct, Method method) {
    return method.getReturnType() == void.class && method.getDeclaringClass() == struct.type();
  }

  private static void readBeyond(BoundStruct struct, Method setter, long index) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(struct.size() + ROOM, 16);
      getter(setter).invoke(null, memory, index);
    }
  }

  private static void checkSlices(BoundStruct struct, Method method) throws Exception {
    String field = fieldOf(method);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(struct.size() + ROOM, struct.layout().byteAlignment());
      boolean element = method.getParameterCount() == 2;
      MemorySegment slice =
          (MemorySegment) (element ? method.invoke(null, memory, 0L) : method.invoke(null, memory));
      long expected =
          element
              ? struct.element(field).byteSize()
              : struct.isFlexible(field)
                  ? memory.byteSize() - struct.offset(field)
                  : struct.member(field).byteSize();
      assertThat(slice.byteSize()).as(field).isEqualTo(expected);
      assertThat(slice.address() - memory.address()).as(field).isEqualTo(struct.offset(field));
    }
  }

  private static void writeAndRead(BoundStruct struct, Method setter) throws Exception {
    String field = fieldOf(setter);
    int indexes = setter.getParameterCount() - 2;
    long width = struct.element(field).byteSize();
    Object value = pattern(setter.getParameterTypes()[indexes + 1]);
    long last = struct.isFlexible(field) ? 0 : struct.member(field).byteSize() / width - 1;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(struct.size() + ROOM, struct.layout().byteAlignment());
      for (long index : List.of(0L, last)) {
        memory.fill((byte) 0);
        Object[] place = indexes == 0 ? new Object[0] : split(struct, field, indexes, index);
        setter.invoke(null, arguments(memory, place, value));

        long at = struct.offset(field) + index * width;
        assertThat(bytes(memory.asSlice(at, width))).isEqualTo(pattern(width));
        memory.asSlice(at, width).fill((byte) 0);
        assertThat(memory.mismatch(arena.allocate(memory.byteSize()))).isEqualTo(-1);

        setter.invoke(null, arguments(memory, place, value));
        assertThat(getter(setter).invoke(null, arguments(memory, place))).isEqualTo(value);
      }
    }
  }

  /** The index in each dimension of the element that has a number in all. */
  private static Object[] split(BoundStruct struct, String field, int indexes, long number) {
    Object[] place = new Object[indexes];
    Arrays.fill(place, 0L);
    long[] lengths = lengths(struct, field, indexes);
    long rest = number;
    for (int i = indexes - 1; i >= 0; i--) {
      place[i] = lengths[i] == 0 ? rest : rest % lengths[i];
      rest = lengths[i] == 0 ? 0 : rest / lengths[i];
    }
    return place;
  }

  private static long[] lengths(BoundStruct struct, String field, int indexes) {
    long[] lengths = new long[indexes];
    var layout = struct.member(field);
    for (int i = 0; i < indexes; i++) {
      var sequence = (SequenceLayout) layout;
      lengths[i] = sequence.elementCount();
      layout = sequence.elementLayout();
    }
    return lengths;
  }

  private static Method getter(Method setter) throws NoSuchMethodException {
    Class<?>[] parameters = setter.getParameterTypes();
    return setter
        .getDeclaringClass()
        .getMethod(setter.getName(), Arrays.copyOf(parameters, parameters.length - 1));
  }

  private static Object[] arguments(MemorySegment memory, Object[] place, Object... more) {
    return Stream.of(new Object[] {memory}, place, more).flatMap(Arrays::stream).toArray();
  }

  private static Object pattern(Class<?> type) {
    if (type == byte.class) {
      return (byte) 0xf1;
    }
    if (type == short.class) {
      return (short) 0xf2f1;
    }
    return type == int.class ? (Object) 0xf4f3f2f1 : (Object) 0xf8f7f6f5f4f3f2f1L;
  }

  private static byte[] pattern(long width) {
    byte[] pattern = new byte[(int) width];
    for (int i = 0; i < width; i++) {
      pattern[i] = (byte) (0xf1 + i);
    }
    return pattern;
  }

  private static byte[] bytes(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  /** The C name of the field; in Java, a reserved word has an underscore more. */
  private static String fieldOf(Method accessor) {
    String name = accessor.getName();
    boolean same =
        Arrays.stream(accessor.getDeclaringClass().getFields())
            .anyMatch(field -> field.getName().equals(name + "$OFFSET"));
    return same ? name : name.substring(0, name.length() - 1);
  }
}
