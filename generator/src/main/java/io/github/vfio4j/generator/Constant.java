package io.github.vfio4j.generator;

import java.math.BigInteger;

/**
 * A constant of a header.
 *
 * @param name its name in C
 * @param javaType {@code int}, {@code long} or {@code String}
 * @param literal its value as Java writes it
 * @param kind what it is in C
 * @param declaration how C declares it: the body of a macro, or the tag of an enumerator's enum
 */
record Constant(String name, String javaType, String literal, Kind kind, String declaration) {

  /** What a constant is in C. */
  enum Kind {
    MACRO,
    ENUMERATOR,
    IOCTL
  }

  /** The number of an ioctl, which the kernel takes as an {@code unsigned int}. */
  static Constant ioctl(String name, Fact fact, String body) {
    return new Constant(name, "int", hex(fact.value()), Kind.IOCTL, body);
  }

  /** A string. */
  static Constant string(String name, String literal) {
    return new Constant(name, "String", literal, Kind.MACRO, literal);
  }

  /**
   * A number: an {@code int} where C has 32 bits, or where a {@code long} of the same value has it
   * too, so that widening never changes a 64-bit value.
   */
  static Constant number(String name, Fact fact, Kind kind, String declaration) {
    BigInteger value = fact.value();
    boolean wide = fact.type().contains("long");
    if (value.bitLength() <= 31) {
      return new Constant(name, "int", value.toString(), kind, declaration);
    }
    if (!wide && value.signum() > 0 && value.bitLength() <= 32) {
      return new Constant(name, "int", hex(value), kind, declaration);
    }
    return new Constant(name, "long", hex(value) + "L", kind, declaration);
  }

  private static String hex(BigInteger value) {
    if (value.signum() < 0) {
      return value.toString();
    }
    return "0x" + value.toString(16);
  }
}
