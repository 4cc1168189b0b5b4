package io.github.vfio4j.edu;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;
import java.time.Duration;

/** The example of the README, which is compiled here so that it stays true. */
final class ReadmeExample {
  private static final long DMA_SOURCE = 0x80;
  private static final long DMA_DESTINATION = 0x88;
  private static final long DMA_COUNT = 0x90;
  private static final long DMA_COMMAND = 0x98;
  private static final long DEVICE_MEMORY = 0x40000;
  private static final int START = 1;
  private static final int RAISE_INTERRUPT = 4;

  private ReadmeExample() {}

  static void sendByDma() throws IOException {
    // README
    try (VfioDevice device = VfioDevice.open(PciAddress.of("0000:00:05.0"));
        DmaBuffer buffer = device.addressSpace().allocate(4096);
        MappedRegion registers = device.pci().bar(0).map();
        Interrupt done = device.pci().msi().enable(0)) {
      device.pci().config().setBusMaster(true);
      buffer.segment().setString(0, "through the IOMMU");
      registers.setLong(DMA_SOURCE, buffer.iova());
      registers.setLong(DMA_DESTINATION, DEVICE_MEMORY);
      registers.setLong(DMA_COUNT, 64);
      registers.setLongRelease(DMA_COMMAND, START | RAISE_INTERRUPT);
      if (done.await(Duration.ofSeconds(1)) == 0) {
        throw new IOException("the device did not answer");
      }
      System.out.println("sent through " + device.choice().backend());
    }
    // README
  }
}
