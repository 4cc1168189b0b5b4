package io.github.vfio4j.cli.text;

import io.github.vfio4j.IovaRange;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts of bytes as people read and write them. */
public final class Size {

  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB");

  private static final Pattern TYPED = Pattern.compile("(\\d{1,18})([KMG]?)");

  private Size() {}

  /** Reads a number of bytes, or of KiB, MiB or GiB with K, M or G behind it. */
  public static OptionalLong parse(String typed) {
    Matcher size = TYPED.matcher(typed);
    if (!size.matches()) {
      return OptionalLong.empty();
    }
    int shift = size.group(2).isEmpty() ? 0 : 10 * ("KMG".indexOf(size.group(2)) + 1);
    long number = Long.parseLong(size.group(1));
    return number > Long.MAX_VALUE >> shift
        ? OptionalLong.empty()
        : OptionalLong.of(number << shift);
  }

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
