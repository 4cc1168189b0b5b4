package io.github.vfio4j.config;

import java.util.OptionalLong;

/**
 * The expansion ROM of a device.
 *
 * @param address where it answers; 0 where it has no address
 * @param enabled whether it answers
 * @param size bytes, where that is known
 */
public record ExpansionRom(long address, boolean enabled, OptionalLong size) {}
