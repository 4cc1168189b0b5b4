package io.github.vfio4j.kerneltests;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.UUID;

/** The kernel's sample of a mediated device, a serial port card of software. */
final class SerialPort {
  static final UUID NAME = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  private SerialPort() {}

  static MediatedDevice create() throws VfioException {
    return Sysfs.host().create(type(), NAME);
  }

  static MediatedType type() throws VfioException {
    return Sysfs.host().mediatedTypes().stream()
        .filter(type -> type.id().equals("mtty-1"))
        .findAny()
        .orElseThrow();
  }
}
