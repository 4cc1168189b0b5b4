package io.github.vfio4j.bindings;

import java.util.Locale;

/** An architecture against whose headers the bindings are audited. */
enum AuditedTarget {
  X86("x86_64-linux-gnu"),
  ARM64("aarch64-linux-gnu");

  private final String triple;

  AuditedTarget(String triple) {
    this.triple = triple;
  }

  String triple() {
    return triple;
  }

  /**
   * Whether a class is bound for this architecture: all are, but for those in another's package.
   */
  boolean has(Class<?> type) {
    String packageName = type.getPackageName();
    return packageName.endsWith(".bindings")
        || packageName.endsWith("." + name().toLowerCase(Locale.ROOT));
  }
}
