package io.github.vfio4j.generator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The names to take from a header. A list has one name a line, {@code *} standing for any letters;
 * {@code !} before a name leaves it out again; what follows {@code #} is a comment. The lines after
 * {@code [x86]} or {@code [arm64]} count for that target only.
 */
final class Selection {
  private final List<Rule> taken = new ArrayList<>();
  private final List<Rule> leftOut = new ArrayList<>();

  private Selection(List<String> lines, Target target) {
    boolean applies = true;
    for (String line : lines) {
      String name = line.replaceFirst("#.*", "").strip();
      if (name.startsWith("[")) {
        applies = name.equals("[" + target.packageName() + "]");
      } else if (applies && name.startsWith("!")) {
        leftOut.add(new Rule(name.substring(1)));
      } else if (applies && !name.isEmpty()) {
        taken.add(new Rule(name));
      }
    }
  }

  /** Everything. */
  static Selection all(Target target) {
    return of(List.of("*"), target);
  }

  /** The names of a list among this package's resources. */
  static Selection listed(String resource, Target target) {
    try (InputStream stream = Selection.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new IllegalArgumentException("no list " + resource);
      }
      return of(new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().toList(), target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Selection of(List<String> lines, Target target) {
    return new Selection(lines, target);
  }

  boolean has(String name) {
    boolean in = matches(taken, name);
    return in && !matches(leftOut, name);
  }

  /** Whether a name, or a field such as {@code kvm_run.debug}, is left out explicitly. */
  boolean leavesOut(String name) {
    return matches(leftOut, name);
  }

  /** What the list asks for in vain: misspelt, gone, or not a constant. */
  Stream<String> unmet(Set<String> produced) {
    return Stream.concat(
            taken.stream()
                .filter(rule -> rule.isPattern() ? !rule.used : !produced.contains(rule.name)),
            leftOut.stream().filter(rule -> !rule.used))
        .map(rule -> rule.name);
  }

  /** Tries every rule, so that each one that fits counts as used. */
  private static boolean matches(List<Rule> rules, String name) {
    return rules.stream().filter(rule -> rule.matches(name)).count() > 0;
  }

  private static final class Rule {
    private final String name;
    private final Pattern pattern;
    private boolean used;

    Rule(String name) {
      this.name = name;
      this.pattern = Pattern.compile(name.replace(".", "\\.").replace("*", "\\w*"));
    }

    boolean isPattern() {
      return name.contains("*");
    }

    boolean matches(String candidate) {
      boolean matches = pattern.matcher(candidate).matches();
      used |= matches;
      return matches;
    }
  }
}
