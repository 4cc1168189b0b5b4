package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.util.Optional;

/**
 * PCI Express: what the function is, and its link.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param portType the device/port type: 0 of an endpoint, 9 of one that is integrated into the root
 *     complex
 * @param functionReset whether the function can be reset by itself
 * @param largestPayload bytes of a packet that the function could take
 * @param payload bytes of a packet that it may send
 * @param readRequest bytes that it may ask for at once
 * @param link its link, if it has one
 * @param atomic32 whether it completes atomic operations of 32 bits
 * @param atomic64 whether it completes atomic operations of 64 bits
 * @param atomic128 whether it completes compare-and-swap of 128 bits
 */
public record PciExpressCapability(
    int offset,
    int version,
    int portType,
    boolean functionReset,
    int largestPayload,
    int payload,
    int readRequest,
    Optional<Link> link,
    boolean atomic32,
    boolean atomic64,
    boolean atomic128)
    implements PciCapability {
  static final int ID = 0x10;

  /** The type of an endpoint. */
  public static final int ENDPOINT = 0;

  /** The type of an endpoint that is integrated into the root complex, and has no link. */
  public static final int ROOT_COMPLEX_ENDPOINT = 9;

  private static final int EVENT_COLLECTOR = 10;

  /**
   * A link of PCI Express.
   *
   * @param largestSpeed the most it could do, as the generation that brought it: 1 is 2.5 GT/s, 5
   *     is 32 GT/s
   * @param largestWidth how many lanes it could have
   * @param speed what it does, likewise
   * @param width how many lanes it has
   */
  public record Link(int largestSpeed, int largestWidth, int speed, int width) {}

  static PciExpressCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(12);
    int version = bytes.u16(2) & 0xf;
    int type = bytes.u16(2) >>> 4 & 0xf;
    boolean second = version >= 2 && bytes.has(0x28);
    return new PciExpressCapability(
        bytes.offset(),
        version,
        type,
        bytes.bits(4, 28, 1) != 0,
        128 << bytes.bits(4, 0, 3),
        128 << bytes.bits(8, 5, 3),
        128 << bytes.bits(8, 12, 3),
        link(bytes, type),
        second && bytes.bits(0x24, 7, 1) != 0,
        second && bytes.bits(0x24, 8, 1) != 0,
        second && bytes.bits(0x24, 9, 1) != 0);
  }

  private static Optional<Link> link(CapabilityBytes bytes, int type) {
    if (type == ROOT_COMPLEX_ENDPOINT || type == EVENT_COLLECTOR || !bytes.has(0x14)) {
      return Optional.empty();
    }
    return Optional.of(
        new Link(
            bytes.bits(0x0c, 0, 4),
            bytes.bits(0x0c, 4, 6),
            bytes.u16(0x12) & 0xf,
            bytes.u16(0x12) >>> 4 & 0x3f));
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return false;
  }
}
