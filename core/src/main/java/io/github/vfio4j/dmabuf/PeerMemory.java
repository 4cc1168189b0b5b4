package io.github.vfio4j.dmabuf;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.Region;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature_dma_buf;
import io.github.vfio4j.bindings.vfio_region_dma_range;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.linux.Alignment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A part of a device that other devices may read and write: ranges of one of its regions, of a PCI
 * device a BAR. A value; it holds nothing, and ends with its device.
 */
public final class PeerMemory {
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  private record Range(long offset, long size) {}

  private final OpenDevice device;
  private final Region region;
  private final List<Range> ranges;

  private PeerMemory(OpenDevice device, Region region, List<Range> ranges) {
    this.device = device;
    this.region = region;
    this.ranges = ranges;
  }

  /**
   * Returns a whole region.
   *
   * @param device the device, which this library has opened
   * @param region the kernel's index; those of a PCI device are {@link
   *     io.github.vfio4j.PciFunction.RegionKind}s
   * @return the memory
   * @throws IllegalArgumentException if the device was not opened by this library, or does not have
   *     the region
   * @throws IndexOutOfBoundsException as {@link VfioDevice#region}
   * @throws IllegalStateException if the device is closed
   * @throws VfioException as {@link VfioDevice#region}
   */
  public static PeerMemory of(VfioDevice device, int region) throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    Region whole = engine.region(region);
    if (whole.size() == 0) {
      throw new IllegalArgumentException(whole + " is none that the device has");
    }
    return new PeerMemory(engine, whole, List.of(new Range(0, whole.size())));
  }

  /**
   * Returns a part of this memory.
   *
   * @param offset bytes from the start of this memory, a multiple of the page size
   * @param size bytes, a multiple of the page size
   * @return the memory
   * @throws IllegalArgumentException if a number is not whole pages, or this is several ranges
   * @throws IndexOutOfBoundsException if a part lies outside
   */
  public PeerMemory slice(long offset, long size) {
    Range whole = only();
    if (offset < 0 || size <= 0 || size > whole.size || offset > whole.size - size) {
      throw new IndexOutOfBoundsException("0x%x bytes at 0x%x of %s".formatted(size, offset, this));
    }
    PeerMemory slice =
        new PeerMemory(device, region, List.of(new Range(whole.offset + offset, size)));
    slice.requireWholePages();
    return slice;
  }

  /**
   * Returns this memory with other ranges of the same region behind it. As of 7.3, Linux exports
   * such memory, but maps it into no IO address space.
   *
   * @param next the other ranges
   * @return the memory
   * @throws IllegalArgumentException if it is of another region or another device
   */
  public PeerMemory and(PeerMemory next) {
    if (!region.equals(next.region)) {
      throw new IllegalArgumentException(next + " is not of " + region);
    }
    return new PeerMemory(
        device, region, Stream.concat(ranges.stream(), next.ranges.stream()).toList());
  }

  /**
   * Returns how large it is.
   *
   * @return bytes
   */
  public long size() {
    return ranges.stream().mapToLong(Range::size).sum();
  }

  /**
   * Makes a file of this memory; {@code VFIO_DEVICE_FEATURE} with {@code DMA_BUF}.
   *
   * <p>The kernel takes the memory away from whoever has it when the device's memory is switched
   * off ({@link io.github.vfio4j.ConfigSpace#setMemoryEnabled}, a power state), and when it is
   * reset or closed. What was mapped of the file stays without memory for good, even when the
   * device's memory is back; the file, unless the device was closed, can be mapped anew then.
   *
   * @return the file; it is the caller's, and the device closes it at the latest
   * @throws IllegalArgumentException if it is not whole pages
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if this kernel or the device's driver cannot (Linux 6.19
   *     was the first)
   * @throws NoSuchDeviceException if the region is none that the device decodes as memory
   * @throws VfioException if the kernel refuses otherwise
   */
  public DmaBuf export() throws VfioException {
    requireWholePages();
    return DmaBuf.open(device, "dma-buf of " + region, size(), this::exported);
  }

  private int exported() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          KernelFeature.request(
              arena,
              vfio_device_feature_dma_buf.SIZEOF + ranges.size() * vfio_region_dma_range.SIZEOF);
      MemorySegment payload = KernelFeature.payload(request);
      vfio_device_feature_dma_buf.region_index(payload, region.info().index());
      vfio_device_feature_dma_buf.open_flags(payload, O_RDWR | O_CLOEXEC);
      vfio_device_feature_dma_buf.nr_ranges(payload, ranges.size());
      for (int i = 0; i < ranges.size(); i++) {
        MemorySegment range =
            payload.asSlice(
                vfio_device_feature_dma_buf.SIZEOF + i * vfio_region_dma_range.SIZEOF,
                vfio_region_dma_range.SIZEOF);
        vfio_region_dma_range.offset(range, ranges.get(i).offset);
        vfio_region_dma_range.length(range, ranges.get(i).size);
      }
      return DeviceFeature.DMA_BUF.kernel().get(device, request, this + " cannot be exported");
    }
  }

  /**
   * Maps this memory into the IO address space of another device, or of the same, at an IOVA that
   * the address space chooses.
   *
   * @param space an {@link io.github.vfio4j.iommufd.Ioas}, or a {@link
   *     io.github.vfio4j.container.Container} that is not an iommufd's
   * @param access what the devices of the address space may do with it
   * @return the mapping; the caller closes it
   * @throws IovaExhaustedException if no range is large enough
   * @throws VfioException as {@link #map(IoAddressSpace, long, DmaAccess)}
   * @throws IllegalArgumentException as {@link #map(IoAddressSpace, long, DmaAccess)}
   * @throws IllegalStateException as {@link #map(IoAddressSpace, long, DmaAccess)}
   * @throws UnsupportedOperationException as {@link #map(IoAddressSpace, long, DmaAccess)}
   */
  public PeerMapping map(IoAddressSpace space, DmaAccess access) throws VfioException {
    return PeerMapping.map(this, space, access, OptionalLong.empty());
  }

  /**
   * Maps this memory into the IO address space of another device, or of the same.
   *
   * <p>Into an {@code Ioas} by a dma-buf ({@link #export}, {@code IOMMU_IOAS_MAP_FILE}), which
   * keeps nothing of the device: either may be closed first. The kernel takes the memory away in
   * time, as told at {@link #export}; then {@link PeerMapping#restore} brings it back.
   *
   * <p>Into a {@code Container} by the address at which the region is mapped into this process
   * ({@code VFIO_IOMMU_MAP_DMA}): any Linux can. That kernel interface takes nothing away, so DMA
   * reaches the device during a reset, and reached whoever has it next. Therefore the device, when
   * it is closed, unmaps it first.
   *
   * @param space an {@link io.github.vfio4j.iommufd.Ioas}, or a {@link
   *     io.github.vfio4j.container.Container} that is not an iommufd's
   * @param iova where the devices of the address space shall see it
   * @param access what they may do with it
   * @return the mapping; the caller closes it
   * @throws IllegalArgumentException if it is not whole pages, or the range wraps around; if the
   *     address space is none of the kernel's; if, for a container, these are several ranges, or
   *     registers of a device model
   * @throws IllegalStateException if the device or the address space is closed
   * @throws UnsupportedOperationException if it is for a container, and the region cannot be mapped
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link
   *     IoAddressSpace#iovaRanges}
   * @throws UnsupportedByKernelException if this kernel or the device's driver cannot export it
   *     (Linux 6.19 was the first), or cannot map what is several ranges
   * @throws NoSuchDeviceException if the device's memory is switched off
   * @throws VfioException if the kernel refuses otherwise; nothing is mapped then
   */
  public PeerMapping map(IoAddressSpace space, long iova, DmaAccess access) throws VfioException {
    return PeerMapping.map(this, space, access, OptionalLong.of(iova));
  }

  OpenDevice device() {
    return device;
  }

  /** Maps the memory into this process. */
  MappedRegion window() throws VfioException {
    Range range = only();
    return region.map(range.offset, range.size);
  }

  private Range only() {
    if (ranges.size() != 1) {
      throw new IllegalArgumentException(this + " is not one range");
    }
    return ranges.getFirst();
  }

  /** Refuses what has only a part of a page, which something else may have the rest of. */
  void requireWholePages() {
    long page = device.kernel().pageSize();
    for (Range range : ranges) {
      if (!Alignment.isMultiple(range.offset | range.size, page)) {
        throw new IllegalArgumentException(this + " is not whole pages of " + page);
      }
    }
  }

  /** Returns which ranges of which region it is. */
  @Override
  public String toString() {
    List<String> words =
        ranges.stream()
            .map(range -> "0x%x bytes at 0x%x".formatted(range.size, range.offset))
            .toList();
    return String.join(" and ", words) + " of " + region;
  }
}
