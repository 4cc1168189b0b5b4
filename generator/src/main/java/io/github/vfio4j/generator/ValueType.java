package io.github.vfio4j.generator;

/** The Java type of a C integer or address, by its size. */
enum ValueType {
  BYTE("byte"),
  SHORT("short"),
  INT("int"),
  LONG("long");

  private final String javaType;

  ValueType(String javaType) {
    this.javaType = javaType;
  }

  static ValueType of(long size) {
    return switch ((int) size) {
      case 1 -> BYTE;
      case 2 -> SHORT;
      case 4 -> INT;
      case 8 -> LONG;
      default -> throw new IllegalStateException("no Java type has " + size + " bytes");
    };
  }

  String javaType() {
    return javaType;
  }

  /** The layout, for a place that is aligned or may not be. */
  String layout(boolean aligned) {
    return "ValueLayout.JAVA_" + name() + (aligned || this == BYTE ? "" : "_UNALIGNED");
  }
}
