package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** The kernel's sample of a mediated device, a serial port card of software. */
final class SerialPort {
  static final UUID NAME = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
  static final UUID OTHER = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1002");

  /** What is sent comes back; it is pending until it is read. */
  private static final int DATA = 0;

  private static final int INTERRUPT_ENABLE = 1;
  private static final int LINE_STATUS = 5;
  private static final int DATA_READY = 1;
  private static final int SCRATCH = 7;

  private SerialPort() {}

  static MediatedDevice create() throws VfioException {
    return create(type(), NAME);
  }

  static MediatedDevice create(MediatedType type, UUID name) throws VfioException {
    return Sysfs.host().create(type, name);
  }

  static MediatedType type() throws VfioException {
    return type("mtty-1");
  }

  static MediatedType type(String id) throws VfioException {
    return Sysfs.host().mediatedTypes().stream()
        .filter(type -> type.id().equals(id))
        .findAny()
        .orElseThrow();
  }

  /** Puts something into the registers, and bytes that nobody has read. */
  static void fill(VfioDevice device, int scratch, String pending) throws VfioException {
    Region port = device.region(0);
    port.writeByte(SCRATCH, (byte) scratch);
    port.writeByte(INTERRUPT_ENABLE, (byte) (scratch & 0x0c)); // not those that fire
    for (byte each : pending.getBytes(StandardCharsets.US_ASCII)) {
      port.writeByte(DATA, each);
    }
  }

  /** Reads all that {@link #fill} put there, and takes the bytes out. */
  static String content(VfioDevice device) throws VfioException {
    Region port = device.region(0);
    ByteArrayOutputStream pending = new ByteArrayOutputStream();
    while ((port.readByte(LINE_STATUS) & DATA_READY) != 0) {
      pending.write(port.readByte(DATA));
    }
    return "%02x %02x %s"
        .formatted(
            port.readByte(SCRATCH),
            port.readByte(INTERRUPT_ENABLE),
            pending.toString(StandardCharsets.US_ASCII));
  }
}
