package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Kernel;
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
