package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.KernelRelease;
import java.util.stream.Stream;

/** The addresses of the devices, and how the machines that have an IOMMU differ. */
final class Machine {
  static final PciAddress EDU = Device.EDU.address();
  static final PciAddress EDU_2 = Device.EDU_2.address();
  static final PciAddress BRIDGE = Device.BRIDGE.address();
  static final PciAddress BRIDGED_EDU = Device.BRIDGED_EDU.address();
  static final PciAddress BRIDGED_EDU_2 = Device.BRIDGED_EDU_2.address();
  static final PciAddress BRIDGED_RNG = Device.BRIDGED_RNG.address();
  static final PciAddress IVSHMEM = Device.IVSHMEM.address();
  static final PciAddress RNG = Device.RNG.address();
  static final PciAddress IGB = Device.IGB.address();
  static final PciAddress NVME = Device.NVME.address();
  static final PciAddress NVME_2 = Device.NVME_2.address();
  static final PciAddress NVME_3 = Device.NVME_3.address();

  /** Where x86 writes its message-signalled interrupts. */
  private static final IovaRange X86_INTERRUPTS = new IovaRange(0xfee00000L, 0xfeefffffL);

  /** Where Linux puts the page of the interrupt controller on Arm. */
  private static final IovaRange ARM_INTERRUPTS = new IovaRange(0x8000000L, 0x80fffffL);

  private Machine() {}

  static boolean hasCdev() {
    return kernelIsSince("6.6");
  }

  static boolean kernelIsSince(String release) {
    return Guest.current().kernel().compareTo(KernelRelease.parse(release)) >= 0;
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
