package io.github.vfio4j.examples;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;

/**
 * Reads a register of QEMU's edu device in both ways that there are: by the kernel, and mapped.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.ReadBar
 * }</pre>
 */
final class ReadBar {
  private static final long IDENTIFICATION = 0x00;
  private static final long LIVENESS = 0x04;

  private ReadBar() {}

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of("0000:00:05.0"))) {
      System.out.print(read(device));
    }
  }

  static String read(VfioDevice device) throws IOException {
    Region bar = device.pci().bar(0);
    int byCall = bar.readInt(IDENTIFICATION); // a system call each: for what is read now and then
    try (MappedRegion registers = bar.map()) {
      int mapped = registers.getInt(IDENTIFICATION); // a load of the processor
      registers.setInt(LIVENESS, 0x12345678);
      return "BAR 0 has %d bytes%nidentification 0x%08x, and mapped 0x%08x%n0x12345678 inverted is 0x%08x%n"
          .formatted(bar.size(), byCall, mapped, registers.getInt(LIVENESS));
    }
  }
}
