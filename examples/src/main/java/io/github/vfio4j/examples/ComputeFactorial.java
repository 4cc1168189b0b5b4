package io.github.vfio4j.examples;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;
import java.time.Duration;

/**
 * A driver with an interrupt: has QEMU's edu device compute a factorial, and sleeps until it is
 * done.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.ComputeFactorial
 * }</pre>
 */
final class ComputeFactorial implements AutoCloseable {
  private static final long FACTORIAL = 0x08;
  private static final long STATUS = 0x20;
  private static final long INTERRUPT_STATUS = 0x24;
  private static final long INTERRUPT_ACKNOWLEDGE = 0x64;
  private static final int INTERRUPT_WHEN_DONE = 0x80;

  private final MappedRegion registers;
  private final Interrupt done;

  ComputeFactorial(VfioDevice device) throws IOException {
    registers = device.pci().bar(0).map();
    done = device.pci().msi().enable(0);
    device.pci().config().setBusMaster(true); // a message is a write to memory: DMA
    registers.setInt(STATUS, INTERRUPT_WHEN_DONE);
  }

  int factorial(int number) throws IOException {
    registers.setInt(FACTORIAL, number);
    if (done.await(Duration.ofSeconds(5)) == 0) {
      throw new IOException("the device did not answer");
    }
    registers.setInt(INTERRUPT_ACKNOWLEDGE, registers.getInt(INTERRUPT_STATUS));
    return registers.getInt(FACTORIAL);
  }

  @Override
  public void close() throws IOException {
    try (registers;
        done) {
      registers.setInt(STATUS, 0);
    }
  }

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of("0000:00:05.0"));
        ComputeFactorial driver = new ComputeFactorial(device)) {
      System.out.println("10! = " + driver.factorial(10));
    }
  }
}
