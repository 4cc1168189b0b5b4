package io.github.vfio4j.examples;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;
import java.time.Duration;

/**
 * Asks an NVMe controller for its serial number, and waits for the answer first by polling memory,
 * then by MSI-X. The numbers are those of the NVMe specification.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.IdentifyNvme
 * }</pre>
 *
 * <p>On real hardware, never take the disk that this machine is using.
 */
final class IdentifyNvme {
  private static final long PAGE = 4096;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Enabled, with submission entries of 2^6 bytes and completion entries of 2^4. */
  private static final int ENABLE = 1 | 6 << 16 | 4 << 20;

  /** In the controller's status. */
  private static final int READY = 1;

  private static final int FAILED = 2;

  private static final int IDENTIFY = 0x06;
  private static final int CONTROLLER = 1;

  /** In the last word of a completion: turns over each time that the queue is filled anew. */
  private static final int PHASE = 1 << 16;

  private IdentifyNvme() {}

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of("0000:02:00.0"))) {
      System.out.println("by polling: serial number " + byPolling(device));
      System.out.println("by MSI-X: serial number " + byInterrupt(device));
    }
  }

  static String byPolling(VfioDevice device) throws IOException {
    try (MappedRegion registers = device.pci().bar(0).map();
        DmaBuffer memory = device.addressSpace().allocate(3 * PAGE)) {
      enable(device, registers, memory);
      identify(registers, memory);
      memory.slice(PAGE, 16).awaitInt(12, PHASE, PHASE, PATIENCE);
      disable(registers);
      return serialNumber(memory);
    }
  }

  static String byInterrupt(VfioDevice device) throws IOException {
    try (MappedRegion registers = device.pci().bar(0).map();
        DmaBuffer memory = device.addressSpace().allocate(3 * PAGE);
        Interrupt answered = device.pci().msix().enable(0)) { // the admin queue has vector 0
      enable(device, registers, memory);
      identify(registers, memory);
      if (answered.await(PATIENCE) == 0) {
        throw new IOException("the controller did not answer");
      }
      disable(registers);
      return serialNumber(memory);
    }
  }

  /** Starts the controller with its queues of two entries each in the first pages of memory. */
  private static void enable(VfioDevice device, MappedRegion registers, DmaBuffer memory)
      throws IOException {
    device.pci().config().setBusMaster(true);
    disable(registers);
    registers.setInt(0x24, 1 << 16 | 1); // AQA: sizes of the admin queues, less one
    registers.setLong(0x28, memory.iova()); // ASQ: the submission queue
    registers.setLong(0x30, memory.iova() + PAGE); // ACQ: the completion queue
    registers.setIntRelease(0x14, ENABLE); // CC
    registers.awaitInt(0x1c, READY | FAILED, READY, PATIENCE); // CSTS
  }

  private static void disable(MappedRegion registers) throws IOException {
    registers.setInt(0x14, 0);
    registers.awaitInt(0x1c, READY, 0, PATIENCE);
  }

  /** Has the controller write 4096 bytes about itself into the third page. */
  private static void identify(MappedRegion registers, DmaBuffer memory) {
    DmaSlice command = memory.slice(0, 64);
    command.setInt(0, IDENTIFY);
    command.setLong(24, memory.slice(2 * PAGE, PAGE).iova());
    command.setInt(40, CONTROLLER);
    registers.setIntRelease(0x1000, 1); // the doorbell: there is one entry
  }

  private static String serialNumber(DmaBuffer memory) throws IOException {
    int status = memory.slice(PAGE, 16).getInt(12) >>> 17;
    if (status != 0) {
      throw new IOException("the controller refused: status 0x%x".formatted(status));
    }
    byte[] text = memory.segment().asSlice(2 * PAGE + 4, 20).toArray(JAVA_BYTE);
    return new String(text, US_ASCII).strip();
  }
}
