package io.github.vfio4j.bench;

import java.util.Locale;

/** What the clock of the machine counts. */
enum Measure {
  /** Instructions of the one processor: exact, but a loop that waits for a device counts, too. */
  INSTRUCTIONS,

  /** Time, which other load on the host lengthens. */
  TIME;

  static Measure named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
