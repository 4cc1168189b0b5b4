package io.github.vfio4j.cli.show;

import io.github.vfio4j.VfioException;

/** Why something was refused, where the reader knows what was asked and of whom. */
public final class Refusal {

  private Refusal() {}

  static String reason(VfioException refusal) {
    String message = String.valueOf(refusal.getMessage());
    String asked = refusal.operation() + " on " + refusal.object() + ": ";
    return message.startsWith(asked) ? message.substring(asked.length()) : message;
  }
}
