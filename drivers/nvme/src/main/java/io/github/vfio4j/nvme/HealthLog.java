package io.github.vfio4j.nvme;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * What a controller says of its health (SMART).
 *
 * @param criticalWarnings what is wrong now, in words; none where all is well
 * @param celsius the temperature
 * @param sparePercent how much of the spare is left
 * @param spareThresholdPercent below which the first warning is given
 * @param usedPercent how much of its life is used; may be above 100
 * @param bytesRead by hosts, in units of 512,000
 * @param bytesWritten by hosts, in units of 512,000
 * @param reads commands
 * @param writes commands
 * @param powerCycles how often it was switched on
 * @param powerOnHours how long it was
 * @param unsafeShutdowns how often it was switched off without being told
 * @param mediaErrors how often data could not be recovered
 */
public record HealthLog(
    List<String> criticalWarnings,
    int celsius,
    int sparePercent,
    int spareThresholdPercent,
    int usedPercent,
    BigInteger bytesRead,
    BigInteger bytesWritten,
    BigInteger reads,
    BigInteger writes,
    BigInteger powerCycles,
    BigInteger powerOnHours,
    BigInteger unsafeShutdowns,
    BigInteger mediaErrors) {
  static final int IDENTIFIER = 2;
  static final int SIZE = 512;

  private static final int ZERO_CELSIUS = 273;
  private static final BigInteger UNIT = BigInteger.valueOf(512_000);
  private static final List<String> WARNINGS =
      List.of(
          "the spare is low",
          "the temperature is out of bounds",
          "it is no longer reliable",
          "it can only be read",
          "the backup of its volatile memory has failed",
          "its persistent memory can only be read");

  /** Copies the list. */
  public HealthLog {
    criticalWarnings = List.copyOf(criticalWarnings);
  }

  static HealthLog parse(byte[] answer) {
    Fields fields = new Fields(answer);
    List<String> warnings = new ArrayList<>();
    for (int bit = 0; bit < Byte.SIZE; bit++) {
      if ((fields.byteAt(0) & 1 << bit) != 0) {
        warnings.add(bit < WARNINGS.size() ? WARNINGS.get(bit) : "warning " + bit);
      }
    }
    return new HealthLog(
        warnings,
        fields.shortAt(1) - ZERO_CELSIUS,
        fields.byteAt(3),
        fields.byteAt(4),
        fields.byteAt(5),
        fields.bigAt(32).multiply(UNIT),
        fields.bigAt(48).multiply(UNIT),
        fields.bigAt(64),
        fields.bigAt(80),
        fields.bigAt(112),
        fields.bigAt(128),
        fields.bigAt(144),
        fields.bigAt(160));
  }
}
