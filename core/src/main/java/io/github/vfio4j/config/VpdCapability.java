package io.github.vfio4j.config;

/**
 * Vital product data, which {@link VitalProductData} reads.
 *
 * @param offset where it starts
 */
public record VpdCapability(int offset) implements PciCapability {
  static final int ID = 0x03;

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return false;
  }
}
