package io.github.vfio4j.examples;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.edu.Edu;
import java.io.IOException;

/**
 * Passes a string from one device to another, through memory that both see at the same address: two
 * devices in one IO address space.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.ShareMemory
 * }</pre>
 */
final class ShareMemory {
  private static final int SIZE = 64;

  private ShareMemory() {}

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice first = VfioDevice.bindAndOpen(PciAddress.of("0000:00:05.0"));
        VfioDevice second =
            VfioDevice.bindAndOpen(PciAddress.of("0000:00:0b.0"), first.addressSpace())) {
      System.out.println(pass("from device to device", first, second));
    }
  }

  /** The devices are of one address space; returns what the second one has got of the first. */
  static String pass(String text, VfioDevice first, VfioDevice second) throws IOException {
    try (DmaBuffer shared = first.addressSpace().allocate(4096);
        Edu sender = Edu.start(first);
        Edu receiver = Edu.start(second)) {
      shared.segment().setString(0, text);
      sender.copyToDevice(shared, 0, 0, SIZE);
      shared.segment().fill((byte) 0);
      sender.copyFromDevice(0, shared, 0, SIZE);
      receiver.copyToDevice(shared, 0, 0, SIZE);
      shared.segment().fill((byte) 0);
      receiver.copyFromDevice(0, shared, 0, SIZE);
      return shared.segment().getString(0);
    }
  }
}
