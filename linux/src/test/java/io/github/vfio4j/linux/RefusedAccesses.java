package io.github.vfio4j.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A program that makes each access of {@link Mmio} to memory that is not there any more, as a
 * device's is not while its memory is switched off, and prints those that were an error to Java.
 */
final class RefusedAccesses {
  private static final int SIZE = 1 << 20;
  private static final int UNTIL_COMPILED = 20_000;

  private static long seen;

  private RefusedAccesses() {}

  private interface Access {
    void make(int base);
  }

  private static Map<String, Access> accesses() {
    Map<String, Access> all = new LinkedHashMap<>();
    all.put("getByte", base -> seen += Mmio.getByte(base, 0));
    all.put("getByteAcquire", base -> seen += Mmio.getByteAcquire(base, 0));
    all.put("setByte", base -> Mmio.setByte(base, 0, (byte) seen));
    all.put("setByteRelease", base -> Mmio.setByteRelease(base, 0, (byte) seen));
    all.put("getShort", base -> seen += Mmio.getShort(base, 0));
    all.put("getShortAcquire", base -> seen += Mmio.getShortAcquire(base, 0));
    all.put("setShort", base -> Mmio.setShort(base, 0, (short) seen));
    all.put("setShortRelease", base -> Mmio.setShortRelease(base, 0, (short) seen));
    all.put("getInt", base -> seen += Mmio.getInt(base, 0));
    all.put("getIntAcquire", base -> seen += Mmio.getIntAcquire(base, 0));
    all.put("setInt", base -> Mmio.setInt(base, 0, (int) seen));
    all.put("setIntRelease", base -> Mmio.setIntRelease(base, 0, (int) seen));
    all.put("getLong", base -> seen += Mmio.getLong(base, 0));
    all.put("getLongAcquire", base -> seen += Mmio.getLongAcquire(base, 0));
    all.put("setLong", base -> Mmio.setLong(base, 0, seen));
    all.put("setLongRelease", base -> Mmio.setLongRelease(base, 0, seen));
    return all;
  }

  /** Makes the accesses. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path file = Path.of(arguments[0]);
    try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        Arena arena = Arena.ofShared()) {
      fill(channel);
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE, arena);
      int base = (int) ((memory.address() + Mmio.ALIGNMENT - 1) / Mmio.ALIGNMENT);
      for (Map.Entry<String, Access> access : accesses().entrySet()) {
        for (int i = 0; i < UNTIL_COMPILED; i++) {
          access.getValue().make(base);
        }
        channel.truncate(0);
        try {
          access.getValue().make(base);
          Thread.sleep(1); // the error may come a little later
        } catch (InternalError e) {
          System.out.println(access.getKey());
        }
        fill(channel);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static void fill(FileChannel channel) throws IOException {
    channel.write(ByteBuffer.allocate(1), SIZE - 1L);
  }
}
