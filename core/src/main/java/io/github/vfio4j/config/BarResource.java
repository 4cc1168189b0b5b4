package io.github.vfio4j.config;

import io.github.vfio4j.sysfs.PciResource;
import java.util.OptionalLong;

/**
 * What is known of a base address register from elsewhere.
 *
 * @param size bytes, 0 where there is none
 * @param kind what sysfs says that it is, or nothing where VFIO told the size alone
 */
record BarResource(OptionalLong size, boolean typed, BaseAddress.Kind kind, boolean prefetchable) {
  static final BarResource UNKNOWN =
      new BarResource(OptionalLong.empty(), false, BaseAddress.Kind.MEMORY_32, false);

  static BarResource ofSize(long size) {
    return new BarResource(OptionalLong.of(size), false, BaseAddress.Kind.MEMORY_32, false);
  }

  static BarResource of(PciResource resource) {
    BaseAddress.Kind kind =
        resource.isIo()
            ? BaseAddress.Kind.IO
            : resource.is64Bit() ? BaseAddress.Kind.MEMORY_64 : BaseAddress.Kind.MEMORY_32;
    return new BarResource(
        OptionalLong.of(resource.size()), resource.size() != 0, kind, resource.isPrefetchable());
  }
}
