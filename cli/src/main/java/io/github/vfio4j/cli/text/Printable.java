package io.github.vfio4j.cli.text;

import java.util.function.IntFunction;

/**
 * Text from elsewhere as it may go to a terminal: names of processes, drivers and devices can have
 * any bytes in them, and some would move the cursor, or have the terminal do worse.
 */
public final class Printable {

  private Printable() {}

  /** Shows what cannot be printed by its number; line breaks and tabs stay. */
  public static String text(String text) {
    return replace(text, Printable::shown);
  }

  /** Shows what cannot be printed by its number, line breaks too. */
  public static String line(String text) {
    return text(text).replace("\n", shown('\n'));
  }

  private static String shown(int character) {
    return (character <= 0xff ? "\\x%02x" : "\\u{%x}").formatted(character);
  }

  /** Escapes within the strings of JSON what cannot be printed. */
  public static String json(String json) {
    return replace(
        json,
        character -> {
          StringBuilder escaped = new StringBuilder();
          for (char unit : Character.toChars(character)) {
            escaped.append("\\u%04x".formatted((int) unit));
          }
          return escaped.toString();
        });
  }

  private static String replace(String text, IntFunction<String> replacement) {
    if (text.codePoints().allMatch(Printable::isPrintable)) {
      return text;
    }
    StringBuilder printable = new StringBuilder();
    text.codePoints()
        .forEach(
            character -> {
              if (isPrintable(character)) {
                printable.appendCodePoint(character);
              } else {
                printable.append(replacement.apply(character));
              }
            });
    return printable.toString();
  }

  private static boolean isPrintable(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL -> character == '\n' || character == '\t';
      case Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
