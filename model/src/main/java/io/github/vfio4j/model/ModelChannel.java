package io.github.vfio4j.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A hosted device, as VFIO's PCI driver would show it. */
final class ModelChannel implements DeviceChannel {
  /** Where regions start in the device's file, as in the kernel. */
  private static final int REGION_SHIFT = 40;

  private final Chassis chassis;
  private volatile boolean closed;

  ModelChannel(Chassis chassis) {
    this.chassis = chassis;
  }

  @Override
  public String name() {
    return chassis.name();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name() + " is closed");
    }
  }

  private boolean isGone() {
    requireOpen();
    chassis.noteCall();
    return chassis.faults().gone();
  }

  private static int noDevice() {
    return -Errno.ENODEV.number();
  }

  @Override
  public int info(MemorySegment info) {
    if (isGone()) {
      return noDevice();
    }
    vfio_device_info.flags(
        info,
        vfio_h.VFIO_DEVICE_FLAGS_PCI
            | (chassis.layout().resettable() ? vfio_h.VFIO_DEVICE_FLAGS_RESET : 0));
    vfio_device_info.num_regions(info, vfio_h.VFIO_PCI_NUM_REGIONS);
    vfio_device_info.num_irqs(info, vfio_h.VFIO_PCI_NUM_IRQS);
    return 0;
  }

  @Override
  public int regionInfo(MemorySegment info) {
    if (isGone()) {
      return noDevice();
    }
    int index = vfio_region_info.index(info);
    if (index < 0 || index >= vfio_h.VFIO_PCI_VGA_REGION_INDEX) {
      return -Errno.EINVAL.number();
    }
    vfio_region_info.offset(info, (long) index << REGION_SHIFT);
    vfio_region_info.size(info, chassis.regionSize(index));
    vfio_region_info.flags(info, flags(index));
    return 0;
  }

  private int flags(int index) {
    if (chassis.regionSize(index) == 0) {
      return 0;
    }
    return switch (index) {
      case vfio_h.VFIO_PCI_ROM_REGION_INDEX -> vfio_h.VFIO_REGION_INFO_FLAG_READ;
      case vfio_h.VFIO_PCI_CONFIG_REGION_INDEX ->
          vfio_h.VFIO_REGION_INFO_FLAG_READ | vfio_h.VFIO_REGION_INFO_FLAG_WRITE;
      default ->
          vfio_h.VFIO_REGION_INFO_FLAG_READ
              | vfio_h.VFIO_REGION_INFO_FLAG_WRITE
              | (chassis.faults().refusesMapping(index) ? 0 : vfio_h.VFIO_REGION_INFO_FLAG_MMAP);
    };
  }

  @Override
  public int irqInfo(MemorySegment info) {
    return isGone() ? noDevice() : chassis.irqs().info(info);
  }

  @Override
  public int setIrqs(MemorySegment request) {
    return isGone() ? noDevice() : chassis.irqs().set(request);
  }

  @Override
  public int reset() {
    return isGone() ? noDevice() : chassis.reset();
  }

  @Override
  public int ask(Ioctl operation, MemorySegment request) {
    return isGone() ? noDevice() : -Errno.ENOTTY.number();
  }

  @Override
  public long read(long offset, MemorySegment target) {
    requireOpen();
    int index = (int) (offset >>> REGION_SHIFT);
    long at = offset & ((1L << REGION_SHIFT) - 1);
    for (long done = 0; done < target.byteSize(); ) {
      int width = width(at + done, target.byteSize() - done);
      long value = chassis.read(index, at + done, width);
      if (value == 0 && chassis.isOff(index)) {
        return -Errno.EIO.number();
      }
      put(target, done, width, value);
      done += width;
    }
    return target.byteSize();
  }

  @Override
  public long write(long offset, MemorySegment source) {
    requireOpen();
    int index = (int) (offset >>> REGION_SHIFT);
    long at = offset & ((1L << REGION_SHIFT) - 1);
    for (long done = 0; done < source.byteSize(); ) {
      int width = width(at + done, source.byteSize() - done);
      if (chassis.isOff(index)) {
        return -Errno.EIO.number();
      }
      chassis.write(index, at + done, width, get(source, done, width));
      done += width;
    }
    return source.byteSize();
  }

  /** Splits an access as the kernel does: into the widest aligned ones, in ascending order. */
  private static int width(long at, long left) {
    int width = Long.BYTES;
    while (width > left || (at & (width - 1)) != 0) {
      width /= 2;
    }
    return width;
  }

  private static void put(MemorySegment target, long at, int width, long value) {
    switch (width) {
      case Byte.BYTES -> target.set(JAVA_BYTE, at, (byte) value);
      case Short.BYTES ->
          target.set(JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, (short) value);
      case Integer.BYTES ->
          target.set(JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, (int) value);
      default -> target.set(JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, value);
    }
  }

  private static long get(MemorySegment source, long at, int width) {
    return switch (width) {
      case Byte.BYTES -> Byte.toUnsignedLong(source.get(JAVA_BYTE, at));
      case Short.BYTES ->
          Short.toUnsignedLong(
              source.get(JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at));
      case Integer.BYTES ->
          Integer.toUnsignedLong(
              source.get(JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at));
      default -> source.get(JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at);
    };
  }

  @Override
  public MappedRegion map(
      RegionInfo region, long offset, long size, String object, Consumer<MappedRegion> owner)
      throws VfioException {
    if (isGone()) {
      throw Answer.failure("mmap", object, noDevice(), "");
    }
    @Nullable BarMemory memory = chassis.memory(region.index());
    return memory == null
        ? new ModelRegisters(chassis, region.index(), offset, size, object, owner)
        : memory.map(offset, size, object, owner);
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  @Override
  public int close() {
    closed = true;
    chassis.release();
    return 0;
  }
}
