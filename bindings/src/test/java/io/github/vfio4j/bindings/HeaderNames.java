package io.github.vfio4j.bindings;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names that a header declares, read from its text by patterns after GCC's preprocessor. */
final class HeaderNames {
  private static final Pattern FILE = Pattern.compile("# \\d+ \"([^\"]+)\".*");
  private static final Pattern CONSTANT = Pattern.compile("#define (\\w+) (?!\\1$)\\S.*");
  private static final Pattern ENUM = Pattern.compile("\\benum\\b[^{};]*\\{([^}]*)}");
  private static final Pattern RECORD = Pattern.compile("\\b(?:struct|union) (\\w+)\\s*\\{");
  private static final Pattern DECLARED =
      Pattern.compile("(\\w+)\\s*(?:\\[[^\\]]*]\\s*)*(?::\\s*\\d+\\s*)?(?:[,;]|$)");

  private final Set<String> constants = new LinkedHashSet<>();
  private final Map<String, Set<String>> fields = new LinkedHashMap<>();

  /** Reads a header such as {@code linux/vfio.h}. */
  HeaderNames(CCompiler compiler, String header) {
    String include = "#include <" + header + ">\n";
    for (String line : own(compiler.preprocess(include, "-dD"), header).split("\n", -1)) {
      Matcher constant = CONSTANT.matcher(line);
      if (constant.matches()) {
        constants.add(constant.group(1));
      }
    }
    String text = own(compiler.preprocess(include), header);
    Matcher enums = ENUM.matcher(text);
    while (enums.find()) {
      for (String enumerator : enums.group(1).split(",", -1)) {
        String name = enumerator.replaceFirst("=.*", "").strip();
        if (!name.isEmpty()) {
          constants.add(name);
        }
      }
    }
    Matcher records = RECORD.matcher(text);
    while (records.find()) {
      fields.put(records.group(1), declared(body(text, records.end())));
    }
  }

  /** The constants: macros with a value, and enumerators. */
  Set<String> constants() {
    return constants;
  }

  /** The fields of each struct or union with a tag. */
  Map<String, Set<String>> fields() {
    return fields;
  }

  /** The lines that come from the header itself. */
  private static String own(String preprocessed, String header) {
    StringBuilder own = new StringBuilder();
    boolean inside = false;
    for (String line : preprocessed.split("\n", -1)) {
      Matcher file = FILE.matcher(line);
      if (file.matches()) {
        inside = file.group(1).endsWith("/" + header);
      } else if (inside) {
        own.append(line).append('\n');
      }
    }
    return own.toString();
  }

  /** The text up to the brace that closes one which has just been opened. */
  private static String body(String text, int start) {
    int depth = 1;
    int end = start;
    while (depth > 0) {
      char next = text.charAt(end++);
      depth += next == '{' ? 1 : next == '}' ? -1 : 0;
    }
    return text.substring(start, end - 1);
  }

  private static Set<String> declared(String body) {
    Set<String> names = new LinkedHashSet<>();
    for (String declaration : body.split("[{};]", -1)) {
      String stripped = declaration.strip();
      if (stripped.isEmpty() || stripped.matches("struct|union")) {
        continue;
      }
      Matcher name = DECLARED.matcher(stripped);
      while (name.find()) {
        names.add(name.group(1));
      }
    }
    return names;
  }
}
