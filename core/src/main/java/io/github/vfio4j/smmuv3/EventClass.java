package io.github.vfio4j.smmuv3;

/** What the SMMU was about to read or write when an address had a fault. */
public enum EventClass {
  /** A context descriptor. */
  CONTEXT_DESCRIPTOR,

  /** A page table. */
  TABLE,

  /** What the device asked for: the input address itself. */
  INPUT,

  /** None that the architecture has. */
  RESERVED
}
