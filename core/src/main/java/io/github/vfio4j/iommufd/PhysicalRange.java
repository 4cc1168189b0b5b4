package io.github.vfio4j.iommufd;

/**
 * Contiguous physical memory behind an IO virtual address.
 *
 * @param address the physical address
 * @param size how many bytes are contiguous from there on
 */
public record PhysicalRange(long address, long size) {}
