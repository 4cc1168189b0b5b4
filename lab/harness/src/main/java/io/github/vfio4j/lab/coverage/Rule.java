package io.github.vfio4j.lab.coverage;

import java.util.List;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;

/**
 * Where constants are used.
 *
 * @param names which constants
 * @param operations what they are used with, by name
 * @param check whether a call uses one
 */
record Rule(Pattern names, List<String> operations, Check check) {
  /** Whether a call uses a constant of this value. */
  @FunctionalInterface
  interface Check {
    boolean uses(TracedCall call, long value);
  }

  /** Constants that are bits of a field. */
  static Rule flags(String names, TracedField field, String... operations) {
    return rule(names, (call, value) -> (field.in(call) & value) != 0, operations);
  }

  /** Constants that are values of a field. */
  static Rule values(String names, TracedField field, String... operations) {
    return rule(names, (call, value) -> field.in(call) == value, operations);
  }

  /** Constants that are a field's value within a mask, in calls whose field passes a test. */
  static Rule masked(
      String names, TracedField field, long mask, LongPredicate test, String... operations) {
    return rule(
        names,
        (call, value) -> (field.in(call) & mask) == value && test.test(field.in(call)),
        operations);
  }

  /** Constants in data that a structure points to, which no trace has. */
  static Rule pointedTo(String names, String... operations) {
    return rule(names, (_, _) -> false, operations);
  }

  static Rule rule(String names, Check check, String... operations) {
    return new Rule(Pattern.compile(names), List.of(operations), check);
  }
}
