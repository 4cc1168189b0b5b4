package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.UnionLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The structure of an ioctl in words. Fields have the kernel's names; numbers from 10 on are in
 * hexadecimal. What follows the fields is there as bytes.
 */
final class StructureText {
  /** Fields that say how long the structure is, which nobody asks. */
  private static final Set<String> SIZES = Set.of("size", "argsz");

  private final Optional<GroupLayout> layout;

  private StructureText(Optional<GroupLayout> layout) {
    this.layout = layout;
  }

  /** Without an ioctl that is known, all is hexadecimal. */
  static StructureText of(@Nullable Ioctl ioctl) {
    return new StructureText(Optional.ofNullable(ioctl).flatMap(StructureLayouts::of));
  }

  String passed(byte[] structure) {
    Map<String, String> fields = fields(structure);
    fields.keySet().removeAll(SIZES);
    return text(fields);
  }

  String changed(byte[] passed, byte[] left) {
    Map<String, String> fields = fields(left);
    fields.entrySet().removeAll(fields(passed).entrySet());
    return text(fields);
  }

  private static String text(Map<String, String> fields) {
    StringJoiner text = new StringJoiner(", ", "{", "}");
    fields.forEach((name, value) -> text.add(name.isEmpty() ? value : name + " " + value));
    return text.toString();
  }

  private Map<String, String> fields(byte[] structure) {
    MemorySegment bytes = MemorySegment.ofArray(structure);
    Map<String, String> fields = new LinkedHashMap<>();
    long end = layout.isPresent() ? add(fields, layout.get(), bytes, 0) : 0;
    if (end < structure.length) {
      fields.put("", BytesText.of(bytes.asSlice(end).toArray(JAVA_BYTE)));
    }
    return fields;
  }

  /** Adds the fields as far as the bytes go, and returns where they end. */
  private static long add(
      Map<String, String> fields, GroupLayout group, MemorySegment bytes, long start) {
    long offset = start;
    boolean union = group instanceof UnionLayout;
    for (MemoryLayout member :
        group.memberLayouts().subList(0, union ? 1 : group.memberLayouts().size())) {
      long end = offset + member.byteSize();
      if (end > bytes.byteSize()) {
        break;
      }
      String name = member.name().orElse("");
      if (member instanceof GroupLayout inner) {
        add(fields, inner, bytes, offset);
      } else if (!(member instanceof PaddingLayout || name.startsWith("__")) && end > offset) {
        fields.put(name, value(bytes.asSlice(offset, member.byteSize())));
      }
      offset = end;
    }
    return offset;
  }

  private static String value(MemorySegment bytes) {
    return switch ((int) bytes.byteSize()) {
      case 1 -> number(Byte.toUnsignedInt(bytes.get(JAVA_BYTE, 0)));
      case 2 -> number(Short.toUnsignedInt(bytes.get(JAVA_SHORT_UNALIGNED, 0)));
      case 4 -> number(Integer.toUnsignedLong(bytes.get(JAVA_INT_UNALIGNED, 0)));
      case 8 -> number(bytes.get(JAVA_LONG_UNALIGNED, 0));
      default -> BytesText.of(bytes.toArray(JAVA_BYTE));
    };
  }

  private static String number(long value) {
    return value >= 0 && value < 10 ? Long.toString(value) : "0x" + Long.toHexString(value);
  }
}
