package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How the IOMMU of a machine is, and what the kernel does with it. */
public final class FakeIommu {
  private final Kernel real;
  private final List<FakeMappings> spaces = new ArrayList<>();
  private long lastIova = (1L << 48) - 1;
  private boolean looksUpPages;
  private long shortUnmap = Long.MAX_VALUE;
  private int refusedEntry = Integer.MAX_VALUE;
  private int refusal;

  FakeIommu(Kernel real) {
    this.real = real;
  }

  /** Changes what an IOAS can map, as the attaching and detaching of devices does. */
  public void addressBits(int bits) {
    lastIova = (1L << bits) - 1;
  }

  long lastIova() {
    return lastIova;
  }

  /** Has the memory behind a mapping looked up by its address, but not before a device needs it. */
  public void lookUpPages() {
    looksUpPages = true;
  }

  /** Has the next unmapping of one mapping stop after so many bytes, and change nothing. */
  public void unmapShort(long bytes) {
    shortUnmap = bytes;
  }

  /** Returns how far an unmapping comes. */
  long unmapped(long size) {
    long unmapped = Math.min(shortUnmap, size);
    shortUnmap = Long.MAX_VALUE;
    return unmapped;
  }

  /** Refuses the entry of this index in batches of invalidations, having handled the others. */
  public void refuseInvalidation(int entry, Errno reason) {
    refusedEntry = entry;
    refusal = -reason.number();
  }

  int invalidate(MemorySegment request) {
    if (iommu_hwpt_invalidate.entry_num(request) <= refusedEntry) {
      return 0;
    }
    iommu_hwpt_invalidate.entry_num(request, refusedEntry);
    return refusal;
  }

  int lookUp(FakePages pages) {
    return looksUpPages ? pages.lookUp(real) : 0;
  }

  /**
   * Returns the first eight bytes of the pages that a device reaches at an IOVA, as they were when
   * the pages were looked up; null where it reaches none.
   */
  public @Nullable Long seenAt(long iova) {
    return spaces.stream()
        .map(space -> space.pages(iova))
        .filter(Objects::nonNull)
        .map(FakePages::firstWord)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  FakeMappings newSpace() {
    FakeMappings space = new FakeMappings(this);
    spaces.add(space);
    return space;
  }
}
