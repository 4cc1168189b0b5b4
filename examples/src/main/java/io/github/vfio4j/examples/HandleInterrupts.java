package io.github.vfio4j.examples;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.event.EventDispatcher;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Has a handler called for each interrupt of QEMU's edu device, while this thread does other
 * things.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.HandleInterrupts
 * }</pre>
 */
final class HandleInterrupts {
  private static final long INTERRUPT_STATUS = 0x24;
  private static final long INTERRUPT_RAISE = 0x60;
  private static final long INTERRUPT_ACKNOWLEDGE = 0x64;

  private HandleInterrupts() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of("0000:00:05.0"))) {
      System.out.println(count(device, 3) ? "three interrupts" : "the device does not answer");
    }
  }

  /** Returns whether each interrupt that was raised has come. */
  static boolean count(VfioDevice device, int interrupts) throws IOException, InterruptedException {
    Semaphore arrived = new Semaphore(0);
    try (MappedRegion registers = device.pci().bar(0).map();
        EventDispatcher dispatcher = EventDispatcher.start();
        Interrupt message = device.pci().msi().enable(0)) {
      device.pci().config().setBusMaster(true); // or no message leaves the device
      dispatcher.register(
          message,
          (source, count) -> {
            registers.setInt(INTERRUPT_ACKNOWLEDGE, registers.getInt(INTERRUPT_STATUS));
            arrived.release();
          });
      for (int i = 0; i < interrupts; i++) {
        registers.setInt(INTERRUPT_RAISE, 1);
        if (!arrived.tryAcquire(5, TimeUnit.SECONDS)) { // or the next one may merge with it
          return false;
        }
      }
      return true;
    }
  }
}
