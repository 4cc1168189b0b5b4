package io.github.vfio4j.model;

import java.util.Arrays;
import java.util.List;

/** The part of a stack that is the driver's: what lies below the library's own frames. */
final class DriverStack {
  private static final List<String> OURS =
      List.of(
          "io.github.vfio4j.model.",
          "io.github.vfio4j.device.",
          "io.github.vfio4j.mapping.",
          "io.github.vfio4j.outcome.");

  private DriverStack() {}

  static List<StackTraceElement> of(StackTraceElement[] stack) {
    return Arrays.stream(stack).dropWhile(DriverStack::isOurs).toList();
  }

  private static boolean isOurs(StackTraceElement frame) {
    String type = frame.getClassName();
    return OURS.stream().anyMatch(type::startsWith) && !type.endsWith("Test");
  }
}
