package io.github.vfio4j.cli.vm;

import io.github.vfio4j.cli.text.Similar;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What an option is given: whose settings they are, and then the settings, with commas between, as
 * in {@code 00:05.0,slot=3}. Whatever is wrong with them is an {@link IllegalArgumentException}.
 *
 * @param of the first word
 * @param values the values of settings, by their names
 */
record Settings(String of, Map<String, String> values) {
  static final String SLOT = "slot";

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");
  private static final int MOST_SLOTS = 31;

  /** Reads them; the names are those that there are. */
  static Settings parse(String text, List<String> names) {
    List<String> words = List.of(text.split(",", -1));
    String of = words.getFirst();
    Map<String, String> values = new LinkedHashMap<>();
    for (String word : words.subList(1, words.size())) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      if (!names.contains(name)) {
        throw new IllegalArgumentException(unknown(name, of, names));
      }
      if (equals < 0 || equals == word.length() - 1) {
        throw new IllegalArgumentException(
            "'%s' of %s wants a value: %s=...".formatted(name, of, name));
      }
      if (values.put(name, word.substring(equals + 1)) != null) {
        throw new IllegalArgumentException("'%s' of %s is given twice".formatted(name, of));
      }
    }
    return new Settings(of, values);
  }

  private static String unknown(String name, String of, List<String> names) {
    String unknown = "unknown setting '%s' of %s".formatted(name, of);
    return Similar.of(name, names)
        .map(meant -> unknown + "; did you mean '" + meant + "'?")
        .orElse(unknown + ": known are " + String.join(", ", names));
  }

  Optional<String> value(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /** Returns the slot of the guest's bus, 0 for any. */
  int slot() {
    String typed = values.get(SLOT);
    if (typed == null) {
      return 0;
    }
    int slot = number(typed);
    if (slot < 1 || slot > MOST_SLOTS) {
      throw new IllegalArgumentException(
          "slots for devices are 1 to %d, and %s cannot have %s".formatted(MOST_SLOTS, of, typed));
    }
    return slot;
  }

  /** Returns a number, or -1 if it is none. */
  static int number(String typed) {
    return NUMBER.matcher(typed).matches() ? Integer.parseInt(typed) : -1;
  }
}
