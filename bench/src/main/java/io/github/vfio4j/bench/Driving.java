package io.github.vfio4j.bench;

import io.github.vfio4j.PciAddress;

/** Which disk, and how it is driven. */
enum Driving {
  /** As the library does it by itself: one descriptor (SGL) names data of many pages. */
  USUAL,

  /** By commands put together by hand, whose data is named by lists of its pages (PRP). */
  LISTS,

  /** The disk whose controller has memory, with queues in this host's memory. */
  HOST_MEMORY,

  /** The same disk, with submission queues in the controller's memory. */
  CONTROLLER_MEMORY;

  PciAddress address() {
    return switch (this) {
      case USUAL, LISTS -> Devices.NVME;
      case HOST_MEMORY, CONTROLLER_MEMORY -> Devices.NVME_WITH_MEMORY;
    };
  }
}
