package io.github.vfio4j.device;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** A device of the kernel's, which has the same file on both interfaces. */
public final class DeviceFile implements DeviceChannel {
  private final Kernel kernel;
  private final Fd file;
  private final String name;

  /**
   * Takes over an open file, which messages call by the device's name from now on.
   *
   * @param name the device's name
   */
  public DeviceFile(Kernel kernel, Fd file, String name) {
    this.kernel = kernel;
    this.file = file;
    this.name = name;
    file.rename(name);
  }

  /** Lends the file. */
  public Fd file() {
    return file;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int ask(Ioctl operation, MemorySegment request) {
    return file.ioctl(operation, request);
  }

  @Override
  public int info(MemorySegment info) {
    return file.ioctl(Ioctl.VFIO_DEVICE_GET_INFO, info);
  }

  @Override
  public int regionInfo(MemorySegment info) {
    return file.ioctl(Ioctl.VFIO_DEVICE_GET_REGION_INFO, info);
  }

  @Override
  public int irqInfo(MemorySegment info) {
    return file.ioctl(Ioctl.VFIO_DEVICE_GET_IRQ_INFO, info);
  }

  @Override
  public int setIrqs(MemorySegment request) {
    return file.ioctl(Ioctl.VFIO_DEVICE_SET_IRQS, request);
  }

  @Override
  public int reset() {
    return file.ioctl(Ioctl.VFIO_DEVICE_RESET, 0);
  }

  @Override
  public long read(long offset, MemorySegment target) {
    int fd = file.acquire();
    try {
      return kernel.pread(fd, target, offset);
    } finally {
      file.release();
    }
  }

  @Override
  public long write(long offset, MemorySegment source) {
    int fd = file.acquire();
    try {
      return kernel.pwrite(fd, source, offset);
    } finally {
      file.release();
    }
  }

  @Override
  public MappedRegion map(
      RegionInfo region, long offset, long size, String object, Consumer<MappedRegion> owner)
      throws VfioException {
    // a region of less than a page has the page to itself
    long pages = Alignment.up(size, kernel.pageSize());
    DeviceMapping mapping = new DeviceMapping(kernel, pages, region.readable(), region.writable());
    int fd = file.acquire();
    try {
      return MappedMemory.map(fd, region.offset() + offset, mapping, owner, object, offset, size);
    } finally {
      file.release();
    }
  }

  @Override
  public boolean isClosed() {
    return file.isClosed();
  }

  @Override
  public int close() {
    return file.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
