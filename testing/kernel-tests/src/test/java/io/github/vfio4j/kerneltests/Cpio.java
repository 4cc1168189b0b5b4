package io.github.vfio4j.kerneltests;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Makes the archive that Linux takes its first files from (cpio, "newc"). */
final class Cpio {
  private static final int DIRECTORY = 0040755;
  private static final int PROGRAM = 0100755;
  private static final int CHARACTER_DEVICE = 0020600;

  private final ByteArrayOutputStream archive = new ByteArrayOutputStream();
  private int inode;

  /** An archive with a console and one program, which is process 1. */
  static byte[] of(byte[] init) {
    Cpio cpio = new Cpio();
    cpio.add("dev", DIRECTORY, 0, 0);
    cpio.add("dev/console", CHARACTER_DEVICE, 5, 1);
    cpio.add("init", PROGRAM, 0, 0, init);
    cpio.add("TRAILER!!!", 0, 0, 0);
    return cpio.archive.toByteArray();
  }

  private void add(String name, int mode, int major, int minor, byte... content) {
    inode++;
    int[] fields = {
      inode, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length() + 1, 0
    };
    StringBuilder header = new StringBuilder("070701");
    for (int field : fields) {
      header.append("%08x".formatted(field));
    }
    write(header.append(name).append('\0').toString().getBytes(StandardCharsets.US_ASCII));
    write(content);
  }

  private void write(byte... bytes) {
    archive.writeBytes(bytes);
    archive.writeBytes(new byte[-archive.size() & 3]);
  }
}
