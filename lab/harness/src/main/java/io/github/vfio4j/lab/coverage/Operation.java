package io.github.vfio4j.lab.coverage;

import java.util.function.Predicate;

/**
 * What can be done to a file: an ioctl, or a message through a queue.
 *
 * @param name the kernel's, or a description
 * @param is whether a call is one
 */
record Operation(String name, Predicate<TracedCall> is) {
  static final Operation FAULT_READ =
      new Operation("read of a fault queue", call -> isQueue(call, "read", "[iommufd-pgfault]"));
  static final Operation FAULT_RESPONSE =
      new Operation("write to a fault queue", call -> isQueue(call, "write", "[iommufd-pgfault]"));
  static final Operation EVENT_READ =
      new Operation(
          "read of an event queue", call -> isQueue(call, "read", "[iommufd-viommu-event]"));

  private static boolean isQueue(TracedCall call, String request, String queue) {
    return call.request().equals(request) && call.file().equals("anon_inode:" + queue);
  }

  /** The kernel uses some numbers twice, for different files. */
  static Operation ioctl(String name, int number) {
    String request = "0x" + Integer.toHexString(number);
    Predicate<String> file = file(name);
    return new Operation(name, call -> call.request().equals(request) && file.test(call.file()));
  }

  private static Predicate<String> file(String name) {
    if (name.startsWith("VFIO_IOMMU_SPAPR") || name.startsWith("VFIO_EEH")) {
      return _ -> false; // the same numbers as others, on POWER only
    }
    if (name.startsWith("VFIO_DEVICE_")) {
      return Operation::isDevice;
    }
    if (name.startsWith("VFIO_GROUP_")) {
      return Operation::isGroup;
    }
    if (name.startsWith("VFIO_MIG_")) {
      return file -> !isDevice(file) && !isGroup(file) && !isContainer(file);
    }
    return Operation::isContainer;
  }

  private static boolean isDevice(String file) {
    return file.startsWith("/dev/vfio/devices/") || file.equals("anon_inode:[vfio-device]");
  }

  private static boolean isGroup(String file) {
    return file.matches("/dev/vfio/(noiommu-)?\\d+");
  }

  /** An iommufd takes the container's ioctls too. */
  private static boolean isContainer(String file) {
    return file.equals("/dev/vfio/vfio") || file.equals("/dev/iommu");
  }
}
