package io.github.vfio4j.migration;

import io.github.vfio4j.bindings.vfio_h;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** What the migration of a device can do, by the kernel's names; {@code VFIO_MIGRATION_}. */
public enum MigrationFlag {
  /** Every device that can be migrated: what is in it is read while it is stopped. */
  STOP_COPY(vfio_h.VFIO_MIGRATION_STOP_COPY),

  /** It can hold back DMA to other devices while it runs. */
  P2P(vfio_h.VFIO_MIGRATION_P2P),

  /** What is in it can be read while it runs. */
  PRE_COPY(vfio_h.VFIO_MIGRATION_PRE_COPY);

  private final int bit;

  MigrationFlag(int bit) {
    this.bit = bit;
  }

  /** Returns those of these bits that are known. */
  static Set<MigrationFlag> of(long bits) {
    Set<MigrationFlag> flags = EnumSet.noneOf(MigrationFlag.class);
    for (MigrationFlag flag : values()) {
      if ((bits & flag.bit) != 0) {
        flags.add(flag);
      }
    }
    return Collections.unmodifiableSet(flags);
  }
}
