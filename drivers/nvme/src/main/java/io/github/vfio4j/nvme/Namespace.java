package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;

/**
 * Blocks that a controller keeps: what other systems call a disk. Where they lie in zones, {@link
 * NvmeController#zonedNamespaces} has it, too.
 *
 * @param id the controller's number for it, from 1
 * @param blocks how many logical blocks it has
 * @param blockSize bytes in one, a power of two
 */
public record Namespace(int id, long blocks, int blockSize) {
  private static final int FORMATS = 128;

  /** Takes apart what the controller says of a namespace. */
  static Namespace parse(String device, int id, byte[] answer) throws VfioException {
    Fields fields = new Fields(answer);
    long blocks = fields.longAt(0);
    if (blocks == 0) { // a controller may have a number without a namespace
      throw new VfioException(
          "identify", "namespace " + id + " of " + device, null, "there is none");
    }
    int descriptor = fields.intAt(FORMATS + Integer.BYTES * format(fields));
    int metadata = descriptor & 0xffff;
    int shift = descriptor >>> 16 & 0xff;
    String object = "namespace " + id + " of " + device;
    if (metadata != 0) {
      throw new VfioException(
          "identify",
          object,
          null,
          "it is formatted with %d bytes of metadata a block, which this driver does not move"
              .formatted(metadata));
    }
    if (shift < 9 || shift > 16) {
      throw new VfioException(
          "identify", object, null, "its blocks would have 2^" + shift + " bytes");
    }
    if (blocks < 0 || blocks > (Long.MAX_VALUE >> shift)) {
      throw new VfioException(
          "identify", object, null, Long.toUnsignedString(blocks) + " blocks are none to use");
    }
    return new Namespace(id, blocks, 1 << shift);
  }

  /** Returns the number of the format that a namespace has. */
  static int format(Fields fields) {
    return (fields.byteAt(26) & 0xf) | ((fields.byteAt(26) >> 1) & 0x30);
  }

  /**
   * Returns how much it holds.
   *
   * @return bytes
   */
  public long size() {
    return blocks * blockSize;
  }
}
