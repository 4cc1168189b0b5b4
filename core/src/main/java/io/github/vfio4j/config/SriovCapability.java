package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;

/**
 * Single-root IO virtualization: SR-IOV.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param enabled whether the virtual functions are there
 * @param memoryEnabled whether they answer at their memory
 * @param initialFunctions how many there are at first
 * @param totalFunctions how many there can be
 * @param functions how many there are, if they are there
 * @param firstOffset how far the first is from this function, in routing IDs
 * @param stride how far each is from the one before
 * @param functionDeviceId their device ID
 * @param pageSizes which pages their registers can be aligned to: bit 0 stands for 4 KiB, and each
 *     further one for twice as much
 * @param pageSize the one that was chosen, likewise
 * @param baseAddresses their six base address registers, as they are
 */
public record SriovCapability(
    int offset,
    int version,
    boolean enabled,
    boolean memoryEnabled,
    int initialFunctions,
    int totalFunctions,
    int functions,
    int firstOffset,
    int stride,
    int functionDeviceId,
    int pageSizes,
    int pageSize,
    List<Integer> baseAddresses)
    implements PciCapability {
  static final int ID = 0x10;

  private static final int BARS = 6;

  /** Keeps its own copy of the list. */
  public SriovCapability {
    baseAddresses = List.copyOf(baseAddresses);
  }

  static SriovCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(0x40);
    List<Integer> bars = new ArrayList<>();
    for (int bar = 0; bar < BARS; bar++) {
      bars.add(bytes.i32(0x24 + bar * Integer.BYTES));
    }
    return new SriovCapability(
        bytes.offset(),
        bytes.version(),
        bytes.bit(0x08, 0),
        bytes.bit(0x08, 3),
        bytes.u16(0x0c),
        bytes.u16(0x0e),
        bytes.u16(0x10),
        bytes.u16(0x14),
        bytes.u16(0x16),
        bytes.u16(0x1a),
        bytes.i32(0x1c),
        bytes.i32(0x20),
        bars);
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return true;
  }
}
