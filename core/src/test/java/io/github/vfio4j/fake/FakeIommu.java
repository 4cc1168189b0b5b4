package io.github.vfio4j.fake;

/** How the IOMMU of a machine is, and what the kernel does with it. */
public final class FakeIommu {
  private long lastIova = (1L << 48) - 1;

  FakeIommu() {}

  /** Changes what an IOAS can map, as the attaching and detaching of devices does. */
  public FakeIommu addressBits(int bits) {
    lastIova = (1L << bits) - 1;
    return this;
  }

  long lastIova() {
    return lastIova;
  }
}
