package io.github.vfio4j.nvme;

/**
 * A command that has failed, as the controller remembers it.
 *
 * @param count how many errors there had been by then, which tells this one from others
 * @param queue the number of the queue of the command, or 0xffff for an error of no command
 * @param command the command's identifier, or 0xffff for an error of no command
 * @param status how it ended
 * @param block the first logical block that it concerns
 * @param namespace the namespace that it concerns
 */
public record ErrorEntry(
    long count, int queue, int command, NvmeStatus status, long block, int namespace) {
  static final int LOG = 1;
  static final int SIZE = 64;

  static ErrorEntry parse(Fields log, int at) {
    return new ErrorEntry(
        log.longAt(at),
        log.shortAt(at + 8),
        log.shortAt(at + 10),
        new NvmeStatus(log.shortAt(at + 12) >>> 1),
        log.longAt(at + 16),
        log.intAt(at + 24));
  }
}
