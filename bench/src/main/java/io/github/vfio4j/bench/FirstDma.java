package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Opens a device and starts a DMA, in a JVM of its own. It prints the clock when it began, and when
 * the DMA was started; then it waits for the end of that.
 */
final class FirstDma {
  private static final int PAGE = 4096;
  private static final long SOURCE = 0x80;
  private static final long DESTINATION = 0x88;
  private static final long COUNT = 0x90;
  private static final long COMMAND = 0x98;
  private static final long DEVICE_MEMORY = 0x40000;
  private static final int START = 1;
  private static final int FROM_DEVICE = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Path CACHE = Path.of("/tmp/first-dma.aot");

  private FirstDma() {}

  /** What runs it in a JVM as it is. */
  static List<String> command() {
    return OtherProcess.jvm(FirstDma.class.getName());
  }

  /** What runs it in a JVM with a start-up cache, which is made the first time. */
  static List<String> commandWithCache() throws IOException {
    if (!Files.exists(CACHE)) {
      String option = "-XX:AOTCacheOutput=" + CACHE;
      new Program(OtherProcess.jvm(option, FirstDma.class.getName())).output();
    }
    return OtherProcess.jvm("-XX:AOTCache=" + CACHE, FirstDma.class.getName());
  }

  public static void main(String[] arguments) throws VfioException {
    long begun = System.nanoTime();
    try (VfioDevice device = VfioDevice.open(Devices.EDU, Backend.IOMMUFD)) {
      MappedRegion registers = device.pci().bar(0).map();
      device.pci().config().setBusMaster(true);
      DmaSlice memory = device.addressSpace().allocate(PAGE).slice(0, Long.BYTES);
      memory.setLong(0, -1);
      registers.setLong(SOURCE, DEVICE_MEMORY);
      registers.setLong(DESTINATION, memory.iova());
      registers.setLong(COUNT, memory.size());
      registers.setLongRelease(COMMAND, START | FROM_DEVICE);
      long started = System.nanoTime();
      registers.awaitInt(COMMAND, START, 0, PATIENCE);
      if (memory.getLong(0) == -1) {
        throw new IllegalStateException("The device wrote nothing");
      }
      System.out.println(begun + " " + started);
    }
  }
}
