package io.github.vfio4j.bench;

import io.github.vfio4j.PciAddress;

/**
 * Where the measured devices sit in the lab's machine {@code intel}; the C programs name them too.
 */
final class Devices {
  /** A device with an interrupt that a register raises. */
  static final PciAddress EDU = PciAddress.of("0000:00:05.0");

  /** A device whose region 2 is ordinary memory, so that an access costs no more than itself. */
  static final PciAddress IVSHMEM = PciAddress.of("0000:00:09.0");

  /** A disk of 64 MiB, in blocks of 512 bytes. */
  static final PciAddress NVME = PciAddress.of("0000:02:00.0");

  /** The other function of its slot. */
  static final PciAddress NVME_2 = PciAddress.of("0000:02:00.1");

  /** A disk likewise, whose controller has memory for queues, and its doorbells in ours. */
  static final PciAddress NVME_WITH_MEMORY = PciAddress.of("0000:05:00.0");

  private Devices() {}
}
