package io.github.vfio4j.model;

/** A capability of a {@link PciLayout}, with its bytes. */
final class PciCapability {
  private final int id;
  private final int version;
  private final byte[] body;

  /**
   * Takes over the bytes.
   *
   * @param id the number that the PCI specifications give it
   * @param version its version, where it is an extended one
   * @param body what follows the header
   */
  PciCapability(int id, int version, byte[] body) {
    this.id = id;
    this.version = version;
    this.body = body;
  }

  int id() {
    return id;
  }

  int version() {
    return version;
  }

  byte[] body() {
    return body;
  }
}
