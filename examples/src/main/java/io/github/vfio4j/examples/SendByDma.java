package io.github.vfio4j.examples;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;
import java.time.Duration;

/**
 * Sends a string to QEMU's edu device by DMA, and waits for its interrupt.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.SendByDma
 * }</pre>
 */
final class SendByDma {
  private static final long DMA_SOURCE = 0x80;
  private static final long DMA_DESTINATION = 0x88;
  private static final long DMA_COUNT = 0x90;
  private static final long DMA_COMMAND = 0x98;
  private static final long DEVICE_MEMORY = 0x40000;
  private static final int START = 1;
  private static final int RAISE_INTERRUPT = 4;

  private SendByDma() {}

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of("0000:00:05.0"))) {
      send(device);
      System.out.println("sent through " + device.choice().backend());
    }
  }

  static void send(VfioDevice device) throws IOException {
    try (DmaBuffer buffer = device.addressSpace().allocate(4096);
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
    }
  }
}
