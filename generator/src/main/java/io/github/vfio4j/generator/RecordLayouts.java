package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where bit-fields lie, from clang's dump of record layouts: {@code offsetof} cannot tell it. */
final class RecordLayouts {
  private static final String BLOCK = "*** Dumping AST Record Layout";

  /** Byte offset, first bit, indentation, and the declaration of a member. */
  private static final Pattern MEMBER = Pattern.compile("\\s*(\\d+)(?::(\\d+)-\\d+)? \\|( +)(.+)");

  private final List<Map<String, Integer>> bitOffsets = new ArrayList<>();

  RecordLayouts(String dump) {
    for (String block : dump.split(Pattern.quote(BLOCK), -1)) {
      bitOffsets.add(read(block));
    }
  }

  /** The bit offset of each field of the struct that has exactly these fields. */
  Map<String, Integer> of(List<String> fields) {
    return bitOffsets.stream()
        .filter(offsets -> List.copyOf(offsets.keySet()).equals(fields))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no layout of a struct with " + fields));
  }

  /** Reads the members of one record, and those of its anonymous members, but no deeper ones. */
  private static Map<String, Integer> read(String block) {
    Map<String, Integer> offsets = new LinkedHashMap<>();
    int deepest = 3;
    for (String line : block.split("\n", -1)) {
      Matcher member = MEMBER.matcher(line);
      if (!member.matches() || member.group(3).length() > deepest || member.group(3).length() < 3) {
        continue;
      }
      int depth = member.group(3).length();
      String declaration = member.group(4).strip();
      boolean anonymous = declaration.endsWith(")");
      deepest = anonymous ? depth + 2 : depth;
      boolean nameless = member.group(4).endsWith(" "); // as a bit-field that only fills
      if (!anonymous && !nameless) {
        int bit = member.group(2) == null ? 0 : Integer.parseInt(member.group(2));
        offsets.put(
            declaration.substring(declaration.lastIndexOf(' ') + 1),
            8 * Integer.parseInt(member.group(1)) + bit);
      }
    }
    return offsets;
  }
}
