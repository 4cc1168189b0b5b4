package io.github.vfio4j.generator;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The macros that a header defines and that may be constants: those with a body and no arguments.
 */
final class Macros {
  private static final Pattern FILE = Pattern.compile("# \\d+ \"([^\"]+)\".*");
  private static final Pattern DEFINE = Pattern.compile("#define (\\w+) (.+)");
  private static final Pattern UNDEF = Pattern.compile("#undef (\\w+)");
  private static final Pattern IOCTL = Pattern.compile("_IO(?:|R|W|WR)\\s*\\(.*");

  private Macros() {}

  /**
   * Reads the output of clang's preprocessor.
   *
   * @param preprocessed the output, with its line markers and {@code #define} lines
   * @param files the files whose macros are wanted, as the line markers name them
   * @return the macros' bodies by name, in the order of definition
   */
  static Map<String, String> of(String preprocessed, Set<String> files) {
    Map<String, String> macros = new LinkedHashMap<>();
    boolean wanted = false;
    for (String line : preprocessed.split("\n", -1)) {
      Matcher file = FILE.matcher(line);
      Matcher define = DEFINE.matcher(line);
      Matcher undef = UNDEF.matcher(line);
      if (file.matches()) {
        wanted = files.contains(file.group(1));
      } else if (define.matches() && wanted && !define.group(1).equals(define.group(2))) {
        macros.put(define.group(1), define.group(2).strip());
      } else if (undef.matches()) {
        macros.remove(undef.group(1));
      }
    }
    return macros;
  }

  static boolean isIoctl(String body) {
    return IOCTL.matcher(body).matches();
  }

  static boolean isString(String body) {
    return body.startsWith("\"");
  }
}
