package io.github.vfio4j.nvme;

/**
 * How a command ended, as the completion's status field says.
 *
 * @param bits the 15 bits of the field above the phase
 */
public record NvmeStatus(int bits) {
  /** The command was successful. */
  public static final NvmeStatus SUCCESS = new NvmeStatus(0);

  /**
   * The driver ended the command itself, by a reset of the controller: whether it was carried out
   * is not known.
   */
  public static final NvmeStatus ABORTED_BY_HOST = new NvmeStatus(0x371);

  private static final int DO_NOT_RETRY = 1 << 14;

  /**
   * Returns the status code.
   *
   * @return its 8 bits, whose meaning depends on {@link #type}
   */
  public int code() {
    return bits & 0xff;
  }

  /**
   * Returns the status code type.
   *
   * @return 0 for generic statuses, 1 for those of a command, 2 for errors of media and data
   *     integrity, 3 for those of the path, 7 for a vendor's own
   */
  public int type() {
    return bits >>> 8 & 7;
  }

  /**
   * Returns whether the command was successful.
   *
   * @return whether type and code are 0
   */
  public boolean isSuccess() {
    return (bits & 0x7ff) == 0;
  }

  /**
   * Returns whether the same command would fail again.
   *
   * @return the Do Not Retry bit
   */
  public boolean doNotRetry() {
    return (bits & DO_NOT_RETRY) != 0;
  }

  /** Returns the specification's name, or the numbers of a status that has none here. */
  @Override
  public String toString() {
    String name = StatusNames.of(bits & 0x7ff);
    return name != null ? name : "status 0x%02x of type %d".formatted(code(), type());
  }
}
