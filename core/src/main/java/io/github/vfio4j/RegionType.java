package io.github.vfio4j;

/**
 * What a device-specific region is for.
 *
 * @param type the kind of region, or a PCI vendor with the top bit set
 * @param subtype the region within that kind
 */
public record RegionType(int type, int subtype) implements RegionCapability {}
