package io.github.vfio4j.iommufd;

import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Rollback;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A hardware page table in the memory of whoever made it, mostly a guest: the first of two stages.
 * What it translates to are addresses of its {@linkplain #parent parent}.
 *
 * <p>After a change of the page table, the IOMMU has to be told: on VT-d by {@link #invalidate}, on
 * SMMUv3 by {@link Viommu#invalidate}.
 */
public final class HwptNested extends Hwpt {
  private final HwptPaging parent;

  private HwptNested(IommufdObject object, boolean deliversFaults, HwptPaging parent) {
    super(object, deliversFaults);
    this.parent = parent;
  }

  /**
   * Makes a nested page table, with the monitor of the iommufd held.
   *
   * @param owner what it is made from: the parent, or a vIOMMU on it
   */
  static HwptNested allocate(
      IommufdObject owner,
      HwptPaging parent,
      BoundDevice device,
      Set<HwptFlag> flags,
      @Nullable FaultQueue faults,
      HwptData data)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      IommufdObject object =
          HwptAllocation.run(
              rollback,
              "nested HWPT",
              device,
              owner.id(),
              owner,
              owner.dependents(),
              flags,
              faults,
              data);
      return rollback.done(new HwptNested(object, faults != null, parent));
    }
  }

  /**
   * Returns the second stage.
   *
   * @return the page table that this one is nested on
   */
  public HwptPaging parent() {
    return parent;
  }

  /**
   * Makes the IOMMU forget what it has cached of this page table; {@code IOMMU_HWPT_INVALIDATE}.
   *
   * @param batch what to forget; all entries are carried out, in their order
   * @throws InvalidationException if the kernel refuses an entry; those before it are carried out
   * @throws UnsupportedByKernelException if this kernel has no invalidation, or not of this page
   *     table
   */
  public void invalidate(InvalidationBatch batch) throws VfioException {
    batch.run(object);
  }
}
