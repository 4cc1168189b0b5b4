package io.github.vfio4j.takeover;

import io.github.vfio4j.DmaAccess;
import java.util.List;

/**
 * An iommufd with all that is in it.
 *
 * <p>Its files have an order: the iommufd's, then for each device its own, and the eventfds of its
 * vectors.
 */
public record RunningIommufd(List<AddressSpace> addressSpaces, List<Device> devices) {
  /** An IOAS, and the page tables that were made from it. */
  public record AddressSpace(int id, List<Mapping> mappings, List<PageTable> pageTables) {}

  /** A part of a file, mapped. */
  public record Mapping(long iova, long size, DmaAccess access) {}

  /**
   * A page table.
   *
   * @param flags the kernel's bits of what was asked for
   */
  public record PageTable(int id, int flags) {}

  /**
   * A bound device.
   *
   * @param id its number
   * @param table the number of the address space or page table that it is attached to, or 0
   * @param hwpt the number of the page table in use, or 0
   * @param vectors those that are enabled
   */
  public record Device(int id, int table, int hwpt, List<Vector> vectors) {}

  /** An enabled vector of an interrupt index. */
  public record Vector(int index, int vector) {}

  /** Returns how many files there are. */
  public int fileCount() {
    return 1 + devices.stream().mapToInt(device -> 1 + device.vectors().size()).sum();
  }
}
