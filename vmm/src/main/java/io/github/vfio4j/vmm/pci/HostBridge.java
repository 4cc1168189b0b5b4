package io.github.vfio4j.vmm.pci;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.ByteBuffer;

/** What is in slot 0: the bridge from the processors to the bus. There is nothing to write. */
final class HostBridge implements PciFunction {
  /** Red Hat's numbers for a host bridge of PCI Express without a maker. */
  private static final int VENDOR_AND_DEVICE = 0x0008_1b36;

  private static final int CLASS = 0x06_00_00;
  private static final int SIZE = 256;

  private final ByteBuffer bytes =
      ByteBuffer.allocate(SIZE)
          .order(LITTLE_ENDIAN)
          .putInt(0, VENDOR_AND_DEVICE)
          .putInt(8, CLASS << Byte.SIZE);

  @Override
  public int read(int at, int width) {
    if (at >= SIZE) {
      return 0;
    }
    return bytes.getInt(at & ~3) >>> ((at & 3) * Byte.SIZE);
  }

  @Override
  public void write(int at, int width, int value) {}
}
