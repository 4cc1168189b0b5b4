package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;

/**
 * Makes a gigabyte of memory and maps it, in a JVM of its own: how many threads make it depends on
 * how many processors the JVM takes itself to have. It prints what the C program prints.
 */
final class LargeMemory {
  private static final long SIZE = 1 << 30;
  private static final long LITTLE = 4 << 20;

  private final IoAddressSpace space;
  private final boolean transparent;
  private final boolean populated;

  private LargeMemory(IoAddressSpace space, boolean transparent, boolean populated) {
    this.space = space;
    this.transparent = transparent;
    this.populated = populated;
  }

  public static void main(String[] arguments) throws VfioException {
    int operations = Integer.parseInt(arguments[2]);
    try (VfioDevice device = VfioDevice.open(Devices.EDU, Backend.IOMMUFD)) {
      LargeMemory memory =
          new LargeMemory(
              device.addressSpace(),
              arguments[0].equals("transparent"),
              arguments[1].equals("populated"));
      memory.makeAndMap(LITTLE); // so that what a start costs is not counted
      double nanos = 0;
      for (int i = 0; i < operations; i++) {
        nanos += memory.makeAndMap(SIZE);
      }
      System.out.println(nanos / operations);
    }
  }

  private long makeAndMap(long size) throws VfioException {
    return populated ? allocate(size) : mapUntouched(size);
  }

  private long allocate(long size) throws VfioException {
    IoAddressSpace.Allocation usual = IoAddressSpace.Allocation.USUAL;
    long start = System.nanoTime();
    try (var _ = space.allocate(size, transparent ? usual : usual.onOrdinaryPages())) {
      return System.nanoTime() - start;
    }
  }

  private long mapUntouched(long size) throws VfioException {
    long start = System.nanoTime();
    try (UntouchedMemory memory = UntouchedMemory.map(size, transparent);
        var _ = space.map(memory.segment(), DmaAccess.READ_WRITE)) {
      return System.nanoTime() - start;
    }
  }
}
