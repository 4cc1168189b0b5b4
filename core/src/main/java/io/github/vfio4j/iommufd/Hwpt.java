package io.github.vfio4j.iommufd;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.VfioException;

/**
 * A hardware page table: what an IOMMU walks when an attached device does DMA.
 *
 * <p>The kernel fills a {@link HwptPaging} from the mappings of an {@link Ioas}; whoever made a
 * {@link HwptNested}, as a guest does, fills it in its own memory. A device is attached to either
 * by {@link CdevDevice#attach}.
 *
 * <p>Thread-safe. It belongs to what it was made from and ends with it at the latest. Once it is
 * closed, its methods that need the kernel throw {@link IllegalStateException}.
 */
public abstract sealed class Hwpt implements PageTable, AutoCloseable
    permits HwptPaging, HwptNested {
  final IommufdObject object;
  private final boolean deliversFaults;

  Hwpt(IommufdObject object, boolean deliversFaults) {
    this.object = object;
    this.deliversFaults = deliversFaults;
  }

  /** Returns whether it was made with a {@link FaultQueue}. */
  final boolean deliversFaults() {
    return deliversFaults;
  }

  @Override
  public final int id() {
    return object.id();
  }

  @Override
  public final Iommufd iommufd() {
    return object.iommufd();
  }

  /**
   * Destroys the page table after what was made from it; {@code IOMMU_DESTROY}. Later calls do
   * nothing.
   *
   * @throws DeviceBusyException if a device is attached to it, or to a page table nested on it; it
   *     stays usable then
   * @throws VfioException if the kernel refuses otherwise
   */
  @Override
  public final void close() throws VfioException {
    object.close();
  }

  /** Returns the name used in messages. */
  @Override
  public final String toString() {
    return object.toString();
  }
}
