package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionInfo;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** A region of a device that is nothing but bytes. */
final class MemoryRegion implements Region {
  private static final int READABLE_AND_WRITABLE = 3;

  private final ByteBuffer bytes;

  MemoryRegion(int size) {
    bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  ByteBuffer bytes() {
    return bytes;
  }

  @Override
  public RegionInfo info() {
    return new RegionInfo(7, READABLE_AND_WRITABLE, bytes.capacity(), 0, List.of());
  }

  @Override
  public void read(long offset, MemorySegment target) {
    target.copyFrom(MemorySegment.ofBuffer(bytes).asSlice(offset, target.byteSize()));
  }

  @Override
  public void write(long offset, MemorySegment source) {
    MemorySegment.ofBuffer(bytes).asSlice(offset).copyFrom(source);
  }

  @Override
  public MappedRegion map(long offset, long size) {
    throw new UnsupportedOperationException("it is only read and written");
  }
}
