package io.github.vfio4j;

/** Something that the kernel says of a region beyond its size and flags. */
public sealed interface RegionCapability
    permits RegionType, SparseMmap, MsixMappable, RawCapability {}
