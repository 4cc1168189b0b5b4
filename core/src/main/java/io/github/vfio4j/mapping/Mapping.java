package io.github.vfio4j.mapping;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.VfioException;

/**
 * One mapping, told from all others that are ever at its IOVA.
 *
 * @param space what it is in
 * @param iova where it starts
 * @param size bytes
 * @param serial what tells it from others
 */
record Mapping(AddressSpace space, long iova, long size, long serial) implements DmaMapping {
  /** Returns what stands for a mapping that has not been made; closing it does nothing. */
  static Mapping none(AddressSpace space) {
    return new Mapping(space, 0, 0, MappingTable.NO_SERIAL);
  }

  @Override
  public void close() throws VfioException {
    space.unmapIfMapped(iova, serial);
  }
}
