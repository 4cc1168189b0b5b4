package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.List;

/** Writes the expression for a struct's memory layout, its padding made explicit. */
final class LayoutWriter {
  private static final long LARGEST_SCALAR = 8;

  private LayoutWriter() {}

  static String layout(Struct struct) {
    Extent extent = new Extent(0, struct.size().asLong());
    // implied by the members otherwise
    String alignment =
        struct.alignment().asLong() > LARGEST_SCALAR || struct.leavesOut()
            ? "\n        .withByteAlignment(" + struct.alignment().asLong() + ")"
            : "";
    return group(struct.union(), struct.members(), extent, 3)
        + alignment
        + "\n        .withName(\""
        + struct.name()
        + "\")";
  }

  private record Extent(long start, long end) {}

  private record Element(Extent extent, String expression) {}

  private static String group(boolean union, List<Member> members, Extent extent, int level) {
    List<String> parts = new ArrayList<>();
    long position = extent.start();
    List<Element> elements = elements(union, members, level);
    for (Element element : elements) {
      if (!union && element.extent().start() > position) {
        parts.add(padding(element.extent().start() - position));
      }
      parts.add(element.expression());
      position = Math.max(position, element.extent().end());
    }
    if (extent.end() > position) {
      parts.add(padding(extent.end() - (union ? extent.start() : position)));
    }
    String indent = "\n" + "    ".repeat(level);
    return "MemoryLayout."
        + (union ? "unionLayout(" : "structLayout(")
        + (parts.isEmpty() ? "" : indent + String.join("," + indent, parts))
        + ")";
  }

  private static String padding(long size) {
    return "MemoryLayout.paddingLayout(" + size + ")";
  }

  /** The members in order; in a struct, the bit-fields of one word are one element. */
  private static List<Element> elements(boolean union, List<Member> members, int level) {
    List<Element> elements = new ArrayList<>();
    for (Member member : members) {
      if (member instanceof Member.LeftOut) {
        continue;
      }
      Element element = element(member, level);
      boolean sameWord =
          !union
              && member instanceof BitField
              && !elements.isEmpty()
              && elements.getLast().extent().equals(element.extent());
      if (!sameWord) {
        elements.add(element);
      }
    }
    return elements;
  }

  private static Element element(Member member, int level) {
    return switch (member) {
      case Field field ->
          new Element(
              new Extent(field.offset().asLong(), field.offset().asLong() + field.size()),
              array(field) + ".withName(\"" + field.name() + "\")");
      case Member.LeftOut left -> throw new IllegalArgumentException(left.name());
      case BitField bits ->
          new Element(
              new Extent(bits.offset(), bits.offset() + bits.wordSize().asLong()),
              ValueType.of(bits.wordSize().asLong()).layout(true)
                  + ".withName(\"$bits$"
                  + bits.offset()
                  + "\")");
      case Member.Anonymous anonymous -> {
        List<Element> inner = elements(anonymous.union(), anonymous.members(), level + 1);
        Extent extent =
            new Extent(
                inner.stream().mapToLong(e -> e.extent().start()).min().orElse(0),
                inner.stream().mapToLong(e -> e.extent().end()).max().orElse(0));
        yield new Element(extent, group(anonymous.union(), anonymous.members(), extent, level + 1));
      }
    };
  }

  private static String array(Field field) {
    String layout = element(field);
    for (long length : field.dimensions().reversed()) {
      layout = "MemoryLayout.sequenceLayout(" + length + ", " + layout + ")";
    }
    return field.flexible() ? "MemoryLayout.sequenceLayout(0, " + layout + ")" : layout;
  }

  /** The layout of one element of a field. */
  static String element(Field field) {
    return switch (field.type()) {
      case Type.Scalar _ -> ValueType.of(field.elementSize().asLong()).layout(field.isAligned());
      case Type.Tagged tagged -> tagged.name() + ".LAYOUT";
      case Type.Inline inline -> inline.struct().name() + ".LAYOUT";
    };
  }
}
