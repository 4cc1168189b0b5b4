package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import java.util.List;

/**
 * The container knows what is pinned for its devices: of mediated ones what they have asked for, of
 * others all that they reach.
 */
final class ContainerLog implements WriteLog {
  private final Container container;

  private ContainerLog(Container container) {
    this.container = container;
  }

  static ContainerLog start(Container container) throws VfioException {
    container.setDirtyTracking(true);
    return new ContainerLog(container);
  }

  @Override
  public void readAndClear(List<DirtyBitmap> memory) throws VfioException {
    for (DirtyBitmap each : memory) {
      container.readAndClearDirty(each);
    }
  }

  @Override
  public void close() throws VfioException {
    container.setDirtyTracking(false);
  }
}
