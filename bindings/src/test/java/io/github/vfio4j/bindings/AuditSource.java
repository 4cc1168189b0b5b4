package io.github.vfio4j.bindings;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A C program that compiles only where the kernel's headers agree with Java classes: their sizes,
 * alignments, offsets, constants and ioctl numbers. Made from the compiled classes alone.
 */
final class AuditSource {
  private static final String START =
      """
      #include <linux/types.h>
      #include <linux/vfio.h>
      #include <linux/iommufd.h>
      #include <linux/kvm.h>
      #define offsetof(type, field) __builtin_offsetof(type, field)
      """;

  private final StringBuilder source = new StringBuilder(START);
  private int bitFields;

  static String of(Collection<Class<?>> classes) {
    AuditSource audit = new AuditSource();
    for (Class<?> type : classes) {
      if (BoundStruct.isStruct(type)) {
        BoundClasses.withNested(BoundStruct.of(type)).forEach(audit::struct);
      } else {
        audit.constants(type);
      }
    }
    return audit.source.toString();
  }

  private void struct(BoundStruct struct) {
    String type =
        struct.path().isEmpty()
            ? struct.root()
            : "__typeof__(((%s *)0)->%s)".formatted(struct.root(), struct.path());
    equal("sizeof(" + type + ")", struct.size(), "size of " + struct.type().getName());
    equal(
        "_Alignof(" + type + ")",
        struct.layout().byteAlignment(),
        "alignment of " + struct.type().getName());
    for (String field : struct.fields()) {
      if (struct.isBitField(field)) {
        bitField(struct, type, field);
      } else {
        field(struct, field);
      }
    }
  }

  private void field(BoundStruct struct, String field) {
    String what = struct.type().getName() + "." + field;
    String path = struct.path().isEmpty() ? field : struct.path() + "." + field;
    String base =
        struct.path().isEmpty() ? "0" : "offsetof(%s, %s)".formatted(struct.root(), struct.path());
    equal(
        "offsetof(%s, %s) - %s".formatted(struct.root(), path, base),
        struct.offset(field),
        "offset of " + what);
    boolean flexible = struct.isFlexible(field);
    equal(
        "sizeof(((%s *)0)->%s%s)".formatted(struct.root(), path, flexible ? "[0]" : ""),
        flexible ? struct.element(field).byteSize() : struct.member(field).byteSize(),
        "size of " + what);
  }

  /** Sets every bit of a bit-field and looks where they are; the compiler works that out. */
  private void bitField(BoundStruct struct, String type, String field) {
    long offset = struct.offset(field);
    String word =
        LongStream.range(offset, Math.min(offset + 8, struct.size()))
            .mapToObj(i -> "(unsigned long long)u.bytes[%d] << %d".formatted(i, 8 * (i - offset)))
            .collect(Collectors.joining(" | "));
    bitFields++;
    source.append(
        """
        void wrong_%1$d(void) __attribute__((error("place of %2$s")));
        void check_%1$d(void) {
          static const union { %3$s it; unsigned char bytes[sizeof(%3$s)]; } u =
              { .it = { .%4$s = -1 } };
          if ((%5$s) != 0x%6$xULL << %7$d)
            wrong_%1$d();
        }
        """
            .formatted(
                bitFields,
                struct.type().getName() + "." + field,
                type,
                field,
                word,
                struct.mask(field),
                struct.shift(field)));
  }

  private void constants(Class<?> header) {
    for (Field field : header.getFields()) {
      if (Modifier.isStatic(field.getModifiers()) && !field.getName().equals("KERNEL_VERSION")) {
        constant(header.getName() + "." + field.getName(), field.getName(), value(field));
      }
    }
  }

  private void constant(String what, String name, Object value) {
    switch (value) {
      case String text -> truth("!__builtin_strcmp(%s, \"%s\")".formatted(name, text), what);
      case Long number ->
          truth(
              "sizeof(%s) == 8 && (%s) == (__typeof__(%s))0x%xULL"
                  .formatted(name, name, name, number),
              what);
      // 32 bits are the same bits; 64 are the same number, or an ioctl, made with sizeof
      case Integer number ->
          truth(
              String.format(
                  Locale.ROOT,
                  "sizeof(%s) == 4 ? (unsigned)(%s) == 0x%xU : (long long)(%s) == %s",
                  name,
                  name,
                  number,
                  name,
                  number < 0
                      ? "0x%xU && ((%s) >> 8 & 0xff) == 0xae".formatted(number, name)
                      : number),
              what);
      default -> throw new AssertionError(what + " is of a type that no constant has");
    }
  }

  private void equal(String expression, long value, String what) {
    truth(expression + " == " + value, what);
  }

  private void truth(String condition, String what) {
    source.append("_Static_assert(%s, \"%s\");\n".formatted(condition, what));
  }

  private static Object value(Field field) {
    try {
      return field.get(null);
    } catch (IllegalAccessException e) {
      throw new LinkageError(field.toString(), e);
    }
  }
}
