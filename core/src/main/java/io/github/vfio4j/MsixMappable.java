package io.github.vfio4j;

/** The region holds the MSI-X table and can be mapped all the same. */
public record MsixMappable() implements RegionCapability {}
