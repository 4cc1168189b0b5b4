package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether one kind of page table can be made for a device, found out by making it.
 *
 * <p>That it can be made does not say that the device uses all of it: the kernel makes page tables
 * for PASIDs where the device has none, and fault-capable ones where nothing ever faults.
 *
 * @param kind which kind
 * @param refusal why not, or empty where it can be made
 */
public record HwptProbe(Kind kind, Optional<VfioException> refusal) {
  /** The kinds of page table that the kernel fills from an {@link Ioas}. */
  public enum Kind {
    /** Without anything special. */
    PLAIN,
    /** With {@link HwptFlag#NEST_PARENT}. */
    NEST_PARENT,
    /** With {@link HwptFlag#DIRTY_TRACKING}. */
    DIRTY_TRACKING,
    /** With {@link HwptFlag#PASID}. */
    PASID,
    /** With a {@link FaultQueue}. */
    FAULTS
  }

  /**
   * Makes a page table of each kind for a device and destroys it again. The device stays attached
   * as it is. Issues {@code IOMMU_HWPT_ALLOC}, {@code IOMMU_FAULT_QUEUE_ALLOC} and {@code
   * IOMMU_DESTROY}, on an address space made for it.
   *
   * @param device the device
   * @return one answer for each kind, in their order
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if what was made cannot be destroyed, or no address space be made
   */
  public static List<HwptProbe> of(BoundDevice device) throws VfioException {
    List<HwptProbe> probes = new ArrayList<>();
    try (Ioas ioas = device.iommufd().allocateIoas()) {
      for (Kind kind : Kind.values()) {
        probes.add(new HwptProbe(kind, refusal(device, ioas, kind)));
      }
    }
    return List.copyOf(probes);
  }

  private static Optional<VfioException> refusal(BoundDevice device, Ioas ioas, Kind kind)
      throws VfioException {
    return switch (kind) {
      case PLAIN -> refusal(() -> ioas.allocateHwpt(device));
      case NEST_PARENT -> refusal(() -> ioas.allocateHwpt(device, HwptFlag.NEST_PARENT));
      case DIRTY_TRACKING -> refusal(() -> ioas.allocateHwpt(device, HwptFlag.DIRTY_TRACKING));
      case PASID -> refusal(() -> ioas.allocateHwpt(device, HwptFlag.PASID));
      case FAULTS -> faultsRefusal(device, ioas);
    };
  }

  private static Optional<VfioException> faultsRefusal(BoundDevice device, Ioas ioas)
      throws VfioException {
    FaultQueue faults;
    try {
      faults = device.iommufd().allocateFaultQueue();
    } catch (VfioException e) {
      return Optional.of(e);
    }
    try (faults) {
      return refusal(() -> ioas.allocateHwpt(device, faults));
    }
  }

  @FunctionalInterface
  private interface Making {
    HwptPaging make() throws VfioException;
  }

  private static Optional<VfioException> refusal(Making making) throws VfioException {
    HwptPaging made;
    try {
      made = making.make();
    } catch (VfioException e) {
      return Optional.of(e);
    }
    made.close();
    return Optional.empty();
  }

  /**
   * Returns whether it can be made.
   *
   * @return whether nothing refused it
   */
  public boolean supported() {
    return refusal.isEmpty();
  }
}
