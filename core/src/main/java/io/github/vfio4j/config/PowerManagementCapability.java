package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * Power management.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param d1 whether the device has the state D1
 * @param d2 whether the device has the state D2
 * @param pmeStates in which states it can ask to be woken: bit 0 is D0, bit 4 is D3cold. VFIO shows
 *     none
 * @param state the state that it is in, 0 to 3: D0 to D3
 * @param keepsRegisters whether its registers survive going from D3hot to D0
 */
public record PowerManagementCapability(
    int offset,
    int version,
    boolean d1,
    boolean d2,
    int pmeStates,
    int state,
    boolean keepsRegisters)
    implements PciCapability {
  static final int ID = 0x01;

  static PowerManagementCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(8);
    return new PowerManagementCapability(
        bytes.offset(),
        bytes.u16(2) & 0x7,
        bytes.bit(2, 9),
        bytes.bit(2, 10),
        bytes.u16(2) >>> 11,
        bytes.u16(4) & 0x3,
        bytes.bit(4, 3));
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return false;
  }
}
