package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.KernelRelease;
import java.util.stream.Stream;

/** Where devices sit in the machines that have an IOMMU, and how those differ. */
final class Machine {
  static final PciAddress EDU = PciAddress.of("0000:00:05.0");
  static final PciAddress EDU_2 = PciAddress.of("0000:00:0b.0");
  static final PciAddress BRIDGE = PciAddress.of("0000:00:08.0");
  static final PciAddress BRIDGED_EDU = PciAddress.of("0000:03:01.0");
  static final PciAddress BRIDGED_EDU_2 = PciAddress.of("0000:03:02.0");
  static final PciAddress BRIDGED_RNG = PciAddress.of("0000:03:03.0");
  static final PciAddress IVSHMEM = PciAddress.of("0000:00:09.0");
  static final PciAddress RNG = PciAddress.of("0000:00:0a.0");
  static final PciAddress IGB = PciAddress.of("0000:01:00.0");
  static final PciAddress NVME = PciAddress.of("0000:02:00.0");
  static final PciAddress NVME_2 = PciAddress.of("0000:02:00.1");

  /** Where x86 writes its message-signalled interrupts. */
  private static final IovaRange X86_INTERRUPTS = new IovaRange(0xfee00000L, 0xfeefffffL);

  /** Where Linux puts the page of the interrupt controller on Arm. */
  private static final IovaRange ARM_INTERRUPTS = new IovaRange(0x8000000L, 0x80fffffL);

  private static final KernelRelease FIRST_WITH_CDEV = KernelRelease.parse("6.6");

  private Machine() {}

  static boolean hasCdev() {
    return Guest.current().kernel().compareTo(FIRST_WITH_CDEV) >= 0;
  }

  /** Whether the IOMMU translates the addresses of interrupts, as those of any other write. */
  static boolean translatesInterrupts() {
    return Guest.current().machine().equals("smmuv3");
  }

  /** The addresses that are kept for message-signalled interrupts. */
  static IovaRange interruptWindow() {
    return translatesInterrupts() ? ARM_INTERRUPTS : X86_INTERRUPTS;
  }

  /** The interfaces that the running kernel has. */
  static Stream<Backend> backends() {
    return hasCdev() ? Stream.of(Backend.IOMMUFD, Backend.CONTAINER) : Stream.of(Backend.CONTAINER);
  }
}
