package io.github.vfio4j.cli;

import io.github.vfio4j.iommufd.HwData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What the kernel says of IOMMUs, as its structures have it. */
final class HardwareData {
  private HardwareData() {}

  private static ByteBuffer structure(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  static HwData vtd(long capability, long extendedCapability) {
    return new HwData(
        1, structure(24).putLong(0).putLong(capability).putLong(extendedCapability).array());
  }

  static HwData smmuv3(int flags, int[] idr, int iidr, int aidr) {
    byte[] bytes = new byte[40];
    ByteBuffer structure = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    structure.putInt(flags).putInt(0);
    for (int register : idr) {
      structure.putInt(register);
    }
    structure.putInt(iidr).putInt(aidr);
    return new HwData(2, bytes);
  }

  static HwData tegra241Cmdqv(int version, int queueBits, int streamIdBits) {
    return new HwData(
        3,
        structure(8)
            .putInt(0)
            .put((byte) version)
            .put((byte) queueBits)
            .put((byte) streamIdBits)
            .array());
  }

  static HwData amd(long features, long features2) {
    return new HwData(4, structure(16).putLong(features).putLong(features2).array());
  }
}
