package io.github.vfio4j.device;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.MemorySegment;

/** A region of an open device. It belongs to the device and ends with it. */
final class DeviceRegion implements Region {
  private final OpenDevice device;
  private final DeviceChannel channel;
  private final long pageSize;
  private final RegionInfo info;

  DeviceRegion(OpenDevice device, DeviceChannel channel, long pageSize, RegionInfo info) {
    this.device = device;
    this.channel = channel;
    this.pageSize = pageSize;
    this.info = info;
  }

  @Override
  public RegionInfo info() {
    return info;
  }

  @Override
  public void read(long offset, MemorySegment target) throws VfioException {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("Cannot read " + this + " into read-only memory");
    }
    transfer("pread", offset, target, info.readable(), channel::read);
  }

  @Override
  public void write(long offset, MemorySegment source) throws VfioException {
    transfer("pwrite", offset, source, info.writable(), channel::write);
  }

  @FunctionalInterface
  private interface Transfer {
    long run(long offset, MemorySegment buffer);
  }

  private void transfer(
      String operation, long offset, MemorySegment buffer, boolean allowed, Transfer transfer)
      throws VfioException {
    long size = buffer.byteSize();
    if (offset < 0 || size > info.size() || offset > info.size() - size) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x of %s, which has 0x%x".formatted(size, offset, this, info.size()));
    }
    if (!buffer.isNative()) {
      throw new IllegalArgumentException(
          "Cannot " + operation + " " + this + " with memory on the Java heap; use native memory");
    }
    if (!allowed) {
      throw new VfioException(operation, toString(), null, "the region does not allow it");
    }
    long done = 0;
    while (done < size) {
      long answer = transfer.run(info.offset() + offset + done, buffer.asSlice(done));
      Answer.require(operation, toString(), answer, "at offset 0x%x".formatted(offset + done));
      if (answer == 0 || answer > size - done) {
        throw new VfioException(
            operation,
            toString(),
            null,
            "%d of %d bytes moved at offset 0x%x".formatted(answer, size - done, offset + done));
      }
      done += answer;
    }
  }

  @Override
  public MappedRegion map(long offset, long size) throws VfioException {
    if (!info.mappable()) {
      throw new UnsupportedOperationException(
          info.size() == 0
              ? this + " is none that the device has"
              : this + " cannot be mapped; use its read and write methods");
    }
    if (offset < 0 || size <= 0 || size > info.size() || offset > info.size() - size) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x of %s, which has 0x%x".formatted(size, offset, this, info.size()));
    }
    if (!Alignment.isMultiple(offset, pageSize)
        || (!Alignment.isMultiple(size, pageSize) && offset + size != info.size())) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x of %s are not whole pages of %d"
              .formatted(size, offset, this, pageSize));
    }
    requireWithinSparseAreas(offset, size);
    return device.map(owner -> channel.map(info, offset, size, toString(), owner));
  }

  private void requireWithinSparseAreas(long offset, long size) {
    for (RegionCapability capability : info.capabilities()) {
      if (capability instanceof RegionCapability.SparseMmap sparse
          && sparse.areas().stream()
              .noneMatch(
                  area ->
                      offset >= area.offset()
                          && size <= area.size()
                          && offset - area.offset() <= area.size() - size)) {
        throw new UnsupportedOperationException(
            "0x%x bytes at 0x%x of %s cannot be mapped, only %s"
                .formatted(size, offset, this, sparse.areas()));
      }
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "region " + info.index() + " of " + channel.name();
  }
}
