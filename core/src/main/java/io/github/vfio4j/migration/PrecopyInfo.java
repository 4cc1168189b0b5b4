package io.github.vfio4j.migration;

/**
 * How much can be read of a device while it runs, as its driver guesses.
 *
 * @param initialBytes what has to be read once; stopping the device is best put off until this is 0
 * @param dirtyBytes what has changed since it was read
 * @param reinit whether new initial data has come up, and has to be read like that at first; always
 *     false unless it was {@linkplain Migration#usePrecopyInfoV2 asked for}
 */
public record PrecopyInfo(long initialBytes, long dirtyBytes, boolean reinit) {
  /**
   * Adds up what there is to read.
   *
   * @return bytes, at most {@link Long#MAX_VALUE}
   */
  public long totalBytes() {
    long total = initialBytes + dirtyBytes;
    return total < 0 ? Long.MAX_VALUE : total;
  }

  /** {@return the amounts in words} */
  @Override
  public String toString() {
    return "%d initial and %d dirty bytes%s"
        .formatted(initialBytes, dirtyBytes, reinit ? ", started anew" : "");
  }
}
