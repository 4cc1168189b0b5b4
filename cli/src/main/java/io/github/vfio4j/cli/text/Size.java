package io.github.vfio4j.cli.text;

import io.github.vfio4j.IovaRange;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;

/** Writes amounts of bytes as people read them. */
public final class Size {

  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB");

  private Size() {}

  public static String of(long bytes) {
    return of(BigInteger.valueOf(bytes));
  }

  public static String of(IovaRange range) {
    BigInteger first = new BigInteger(Long.toUnsignedString(range.first()));
    BigInteger last = new BigInteger(Long.toUnsignedString(range.last()));
    return of(last.subtract(first).add(BigInteger.ONE));
  }

  /** Exactly, in the largest unit, where that takes four digits; else to one decimal. */
  private static String of(BigInteger bytes) {
    int largest = Math.clamp((bytes.bitLength() - 1) / 10, 0, UNITS.size() - 1);
    int exact = Math.min(largest, Math.max(0, bytes.getLowestSetBit()) / 10);
    BigInteger whole = bytes.shiftRight(10 * exact);
    if (whole.compareTo(BigInteger.valueOf(10_000)) < 0) {
      return whole + " " + UNITS.get(exact);
    }
    return new BigDecimal(bytes)
            .divide(new BigDecimal(BigInteger.ONE.shiftLeft(10 * largest)))
            .setScale(1, RoundingMode.HALF_EVEN)
            .toPlainString()
        + " "
        + UNITS.get(largest);
  }
}
