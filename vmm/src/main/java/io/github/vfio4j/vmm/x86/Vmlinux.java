package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A kernel as its linker leaves it (ELF), not packed. It is entered where packed ones end. */
final class Vmlinux implements KernelImage {
  private static final int ELF = 0x464c457f;
  private static final int CLASS_AND_ORDER = 4;
  private static final short LITTLE_64_BITS = 0x102;
  private static final int MACHINE = 0x12;
  private static final short X86_64 = 62;
  private static final int ENTRY = 0x18;
  private static final int SEGMENTS = 0x20;
  private static final int SEGMENT_SIZE = 0x36;
  private static final int SEGMENT_COUNT = 0x38;
  private static final int ELF_HEADER = 0x40;

  private static final int LOADED = 1;
  private static final int OFFSET = 0x8;
  private static final int ADDRESS = 0x18;
  private static final int FILE_SIZE = 0x20;
  private static final int MEMORY_SIZE = 0x28;
  private static final int LEAST_SEGMENT_SIZE = 0x38;

  private static final int BOOT_FLAG = 0x1fe - HEADER;
  private static final short BOOTABLE = (short) 0xaa55;
  private static final int HEADER_SIZE = 0x268 - HEADER;
  private static final long INITRD_LIMIT = 0x7fff_ffffL;
  private static final int COMMAND_LINE_LIMIT = 2047;

  private final Path file;
  private final List<Part> parts;
  private final long start;
  private final long end;
  private final long entry;

  private Vmlinux(Path file, List<Part> parts, long start, long end, long entry) {
    this.file = file;
    this.parts = List.copyOf(parts);
    this.start = start;
    this.end = end;
    this.entry = entry;
  }

  static boolean is(ByteBuffer bytes) {
    return bytes.limit() >= ELF_HEADER
        && bytes.getInt(0) == ELF
        && bytes.getShort(CLASS_AND_ORDER) == LITTLE_64_BITS
        && bytes.getShort(MACHINE) == X86_64;
  }

  static Vmlinux of(Path file, ByteBuffer bytes) throws VfioException {
    long first = bytes.getLong(SEGMENTS);
    int size = bytes.getShort(SEGMENT_SIZE) & 0xffff;
    int count = bytes.getShort(SEGMENT_COUNT) & 0xffff;
    if (size < LEAST_SEGMENT_SIZE || outside(bytes, first, (long) size * count)) {
      throw KernelImage.unfit(file, "its list of segments is not in it");
    }
    List<Part> parts = new ArrayList<>();
    long start = Long.MAX_VALUE;
    long end = 0;
    for (int i = 0; i < count; i++) {
      int at = (int) first + i * size;
      if (bytes.getInt(at) == LOADED) {
        long address = bytes.getLong(at + ADDRESS);
        long length = bytes.getLong(at + MEMORY_SIZE);
        if (address < 0 || length < 0 || address + length < 0) {
          throw KernelImage.unfit(file, "segment %d is where no memory is".formatted(i));
        }
        parts.add(new Part(address, content(file, bytes, at)));
        start = Math.min(start, address);
        end = Math.max(end, address + Math.max(length, bytes.getLong(at + FILE_SIZE)));
      }
    }
    if (parts.isEmpty()) {
      throw KernelImage.unfit(file, "it has nothing to load");
    }
    return new Vmlinux(file, parts, start, end, bytes.getLong(ENTRY));
  }

  private static ByteBuffer content(Path file, ByteBuffer bytes, int segment) throws VfioException {
    long offset = bytes.getLong(segment + OFFSET);
    long size = bytes.getLong(segment + FILE_SIZE);
    if (outside(bytes, offset, size)) {
      throw KernelImage.unfit(file, "it ends before its segments do");
    }
    return bytes.slice((int) offset, (int) size);
  }

  private static boolean outside(ByteBuffer bytes, long first, long size) {
    return first < 0 || size < 0 || size > bytes.limit() || first > bytes.limit() - size;
  }

  /** There is none in it: the loader of a packed one would have kept it. */
  @Override
  public byte[] header() {
    byte[] header = new byte[HEADER_SIZE];
    ByteBuffer fields = ByteBuffer.wrap(header).order(LITTLE_ENDIAN);
    fields.putShort(BOOT_FLAG, BOOTABLE).putInt(MAGIC - HEADER, HDRS);
    return header;
  }

  @Override
  public List<Part> parts() {
    return parts;
  }

  @Override
  public long start() {
    return start;
  }

  @Override
  public long end() {
    return end;
  }

  @Override
  public long entry() {
    return entry;
  }

  @Override
  public long initrdLimit() {
    return INITRD_LIMIT;
  }

  @Override
  public int commandLineLimit() {
    return COMMAND_LINE_LIMIT;
  }

  @Override
  public String toString() {
    return file.toString();
  }
}
