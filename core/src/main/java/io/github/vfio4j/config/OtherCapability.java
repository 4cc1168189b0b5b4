package io.github.vfio4j.config;

import java.nio.ByteBuffer;

/**
 * A capability that this library does not take apart.
 *
 * @param id the number that the PCI specifications give it
 * @param offset where it starts
 * @param isExtended whether it is one of the extended configuration space
 * @param version the version of its layout; 0 of one of the conventional space
 * @param data what follows its header, up to where the next capability begins or the space ends, to
 *     be read: more than is the capability's own
 */
public record OtherCapability(int id, int offset, boolean isExtended, int version, ByteBuffer data)
    implements PciCapability {
  /** Keeps the bytes that are left in the buffer. */
  public OtherCapability {
    data = copy(data);
  }

  /** Copies what is left in a buffer, to be read. */
  static ByteBuffer copy(ByteBuffer data) {
    byte[] bytes = new byte[data.remaining()];
    data.duplicate().get(bytes);
    return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  /**
   * Returns what follows its header.
   *
   * @return the bytes, to be read, with a position of their own
   */
  @Override
  public ByteBuffer data() {
    return data.duplicate();
  }
}
