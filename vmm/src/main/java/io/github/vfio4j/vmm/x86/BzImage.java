package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** A kernel as Linux for x86 packs it: it unpacks itself. */
final class BzImage implements KernelImage {
  private static final int SETUP_SECTORS = 0x1f1;
  private static final int HEADER_END = 0x201;
  private static final int VERSION = 0x206;
  private static final int INITRD_LIMIT = 0x22c;
  private static final int LOAD_FLAGS = 0x236;
  private static final int COMMAND_LINE_LIMIT = 0x238;
  private static final int PREFERRED_ADDRESS = 0x258;
  private static final int NEEDED_SIZE = 0x260;
  private static final int SMALLEST = 0x268;

  private static final int FIRST_VERSION = 0x20c;
  private static final int ENTRY_64 = 1;
  private static final int ENTRY_OFFSET = 0x200;
  private static final int SECTOR = 512;
  private static final int USUAL_SETUP_SECTORS = 4;

  private final Path file;
  private final ByteBuffer bytes;
  private final int code;

  private BzImage(Path file, ByteBuffer bytes, int code) {
    this.file = file;
    this.bytes = bytes;
    this.code = code;
  }

  static boolean is(ByteBuffer bytes) {
    return bytes.limit() >= SMALLEST && bytes.getInt(MAGIC) == HDRS;
  }

  static BzImage of(Path file, ByteBuffer bytes) throws VfioException {
    if ((bytes.getShort(VERSION) & 0xffff) < FIRST_VERSION
        || (bytes.getShort(LOAD_FLAGS) & ENTRY_64) == 0) {
      throw KernelImage.unfit(
          file, "it has no 64-bit entry: it is of before Linux 3.8, or for 32 bits");
    }
    int sectors = bytes.get(SETUP_SECTORS) & 0xff;
    int code = ((sectors == 0 ? USUAL_SETUP_SECTORS : sectors) + 1) * SECTOR;
    if (code >= bytes.limit()) {
      throw KernelImage.unfit(file, "it ends before its code begins");
    }
    return new BzImage(file, bytes, code);
  }

  @Override
  public byte[] header() {
    int end = Math.min(MAGIC + (bytes.get(HEADER_END) & 0xff), code);
    byte[] header = new byte[end - HEADER];
    bytes.get(HEADER, header);
    return header;
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part(start(), bytes.slice(code, bytes.limit() - code)));
  }

  @Override
  public long start() {
    return bytes.getLong(PREFERRED_ADDRESS);
  }

  @Override
  public long end() {
    long needed = Integer.toUnsignedLong(bytes.getInt(NEEDED_SIZE));
    return start() + Math.max(needed, bytes.limit() - code);
  }

  @Override
  public long entry() {
    return start() + ENTRY_OFFSET;
  }

  @Override
  public long initrdLimit() {
    return Integer.toUnsignedLong(bytes.getInt(INITRD_LIMIT));
  }

  @Override
  public int commandLineLimit() {
    return bytes.getInt(COMMAND_LINE_LIMIT);
  }

  @Override
  public String toString() {
    return file.toString();
  }
}
