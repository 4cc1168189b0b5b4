package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;

/**
 * A namespace whose blocks lie in zones. A zone is written from its start on, block after block,
 * and reset as a whole before it is written again; see {@link Zone}.
 *
 * <p>Its blocks are read and written as those of any {@link Namespace}, but for the place of a
 * write, which must be the zone's write pointer. {@link QueuePair#append} has the controller choose
 * the place, {@link QueuePair#manage} opens, closes, fills and resets zones, and {@link
 * QueuePair#report} tells of them; {@link Zones} does the last two for those who want to wait.
 *
 * @param namespace the namespace
 * @param zoneBlocks how many blocks lie from the start of a zone to that of the next one; the last
 *     of them may be none to use, see {@link Zone#capacity}
 * @param mostOpen how many zones can be open at a time; 0 where there is no limit
 * @param mostActive how many can be open or closed, that is, written in part, at a time; 0 where
 *     there is no limit
 * @param maximumAppend the most bytes that one {@link QueuePair#append} moves
 * @param readsAcrossZones whether one command can read blocks of several zones
 */
public record ZonedNamespace(
    Namespace namespace,
    long zoneBlocks,
    int mostOpen,
    int mostActive,
    long maximumAppend,
    boolean readsAcrossZones) {
  private static final int FORMATS = 2816;
  private static final int FORMAT = 16;

  /**
   * Checks the size of the zones.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ZonedNamespace {
    if (zoneBlocks <= 0) {
      throw new IllegalArgumentException("zones of " + zoneBlocks + " blocks");
    }
  }

  /** Takes apart what the controller says of a namespace, of its zones, and of zones at all. */
  static ZonedNamespace parse(
      Namespace namespace, int format, byte[] ofZones, byte[] ofController, Limits limits)
      throws VfioException {
    Fields fields = new Fields(ofZones);
    long zoneBlocks = fields.longAt(FORMATS + format * FORMAT);
    if (zoneBlocks <= 0 || zoneBlocks > namespace.blocks()) {
      throw new VfioException(
          "identify",
          "namespace " + namespace.id() + " of " + limits.device,
          null,
          "its zones would have %s blocks, and it has %d"
              .formatted(Long.toUnsignedString(zoneBlocks), namespace.blocks()));
    }
    return new ZonedNamespace(
        namespace,
        zoneBlocks,
        limit(fields.intAt(8)),
        limit(fields.intAt(4)),
        limits.append(new Fields(ofController).byteAt(0)),
        (fields.shortAt(2) & 1) != 0);
  }

  /** What the controller's other answers say. */
  record Limits(String device, long maximumTransfer, int smallestPageShift) {
    private long append(int shift) {
      return shift == 0 || shift + smallestPageShift >= Integer.SIZE - 1
          ? maximumTransfer
          : Math.min(maximumTransfer, 1L << (shift + smallestPageShift));
    }
  }

  /** Returns a number that is given as one less, with all ones for none, as 0 for none. */
  private static int limit(int oneLess) {
    return oneLess < 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, oneLess + 1L);
  }

  /**
   * Returns how many zones there are.
   *
   * @return the number
   */
  public long zones() {
    return namespace.blocks() / zoneBlocks;
  }

  /** Returns whether a zone starts there. */
  boolean isStart(long block) {
    return block >= 0 && block % zoneBlocks == 0 && block / zoneBlocks < zones();
  }
}
