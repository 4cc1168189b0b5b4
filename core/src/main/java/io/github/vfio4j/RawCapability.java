package io.github.vfio4j;

import java.util.Arrays;
import java.util.HexFormat;

/** A capability that this library does not interpret, as the kernel gave it. */
public final class RawCapability implements RegionCapability, DeviceInfo.Capability {
  private final int id;
  private final int version;
  private final byte[] payload;

  /**
   * Takes a copy of a capability.
   *
   * @param id the kernel's number of it
   * @param version the kernel's number of its version
   * @param payload what follows its header
   */
  public RawCapability(int id, int version, byte[] payload) {
    this.id = id;
    this.version = version;
    this.payload = payload.clone();
  }

  /**
   * Returns which capability it is.
   *
   * @return the kernel's number, which means different things on devices and on regions
   */
  public int id() {
    return id;
  }

  /**
   * Returns the version of the capability.
   *
   * @return the kernel's number
   */
  public int version() {
    return version;
  }

  /**
   * Returns what follows the header.
   *
   * @return a copy of the bytes
   */
  public byte[] payload() {
    return payload.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RawCapability that
        && id == that.id
        && version == that.version
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return 31 * id + Arrays.hashCode(payload);
  }

  @Override
  public String toString() {
    return "capability " + id + " version " + version + " " + HexFormat.of().formatHex(payload);
  }
}
