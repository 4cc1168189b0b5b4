package io.github.vfio4j.generator;

import java.util.Locale;

/** An architecture whose headers are read. */
enum Target {
  X86("x86_64-linux-gnu"),
  ARM64("aarch64-linux-gnu");

  private final String triple;

  Target(String triple) {
    this.triple = triple;
  }

  /** As clang names it, and as Debian names the directory of its {@code asm} headers. */
  String triple() {
    return triple;
  }

  /** The last part of the package that holds what only this architecture has. */
  String packageName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
