package io.github.vfio4j.generator;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** The value of a C constant expression, once clang has told it. */
final class Fact {
  private final String expression;
  private @Nullable BigInteger value;
  private String type = "";

  Fact(String expression) {
    this.expression = expression;
  }

  String expression() {
    return expression;
  }

  void answer(String value, String type) {
    this.value = new BigInteger(value);
    this.type = type;
  }

  BigInteger value() {
    if (value == null) {
      throw new IllegalStateException("not answered yet: " + expression);
    }
    return value;
  }

  long asLong() {
    return value().longValueExact();
  }

  /** The expression's type in C, without typedefs. */
  String type() {
    return type;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Fact fact && value().equals(fact.value()) && type.equals(fact.type);
  }

  @Override
  public int hashCode() {
    return value().hashCode();
  }
}
