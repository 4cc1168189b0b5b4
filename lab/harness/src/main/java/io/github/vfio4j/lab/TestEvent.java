package io.github.vfio4j.lab;

/**
 * One line of the log that a guest writes and the host reads while and after tests run.
 *
 * @param kind what happened
 * @param id JUnit's unique id of the test
 * @param className the test's class
 * @param name the test's name within its class
 * @param millis how long it took, in milliseconds
 * @param text why it failed or was skipped; else empty
 */
record TestEvent(Kind kind, String id, String className, String name, long millis, String text) {
  enum Kind {
    /** Will run here. */
    PLANNED,
    /** Will not run here: needs another machine or kernel. */
    ELSEWHERE,
    PASSED,
    FAILED,
    SKIPPED,
    /** Has run out of time, and runs {@link OnceMore}. */
    AGAIN,
    /** A planned group of tests, such as a parameterized one, has run. */
    ENDED,
    /** All that was planned has run. */
    FINISHED
  }

  static TestEvent finished() {
    return new TestEvent(Kind.FINISHED, "", "", "", 0, "");
  }

  String toLine() {
    return String.join(
        "\t", kind.name(), id, className, escape(name), Long.toString(millis), escape(text));
  }

  static TestEvent fromLine(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length != 6) {
      throw new IllegalArgumentException("not a test event: " + line);
    }
    return new TestEvent(
        Kind.valueOf(fields[0]),
        fields[1],
        fields[2],
        fields[3].translateEscapes(),
        Long.parseLong(fields[4]),
        fields[5].translateEscapes());
  }

  private static String escape(String text) {
    return text.replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r");
  }
}
