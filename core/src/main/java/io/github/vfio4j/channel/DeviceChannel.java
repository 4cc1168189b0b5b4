package io.github.vfio4j.channel;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * What a backend has to do for one open device.
 *
 * <p>Requests are the structures of {@code linux/vfio.h}, and the answers are the kernel's: 0 or
 * more, or a negated error number. No reply is trusted: {@link io.github.vfio4j.device} checks
 * sizes, counts and offsets for every backend alike, and makes the objects that users see of them.
 * All methods may be called from any thread; after {@link #close} they throw {@link
 * IllegalStateException}.
 */
public interface DeviceChannel {
  /** Returns the device's name, for users and for messages. */
  String name();

  /** Fills a {@code vfio_device_info}: as much as its {@code argsz} has room for. */
  int info(MemorySegment info);

  /** Fills the {@code vfio_region_info} of the index in it, likewise. */
  int regionInfo(MemorySegment info);

  /** Fills the {@code vfio_irq_info} of the index in it. */
  int irqInfo(MemorySegment info);

  /** Carries out a {@code vfio_irq_set}. The eventfds in it stay the caller's. */
  int setIrqs(MemorySegment request);

  /** Resets the device. */
  int reset();

  /**
   * Carries out one of the ioctls that only some devices have, on its own structure.
   *
   * @return the kernel's answer; ENOTTY where the device does not have the ioctl
   */
  int ask(Ioctl operation, MemorySegment request);

  /**
   * Reads from the device's file.
   *
   * @param offset where a region starts in it, as its info says, and on from there
   * @return how many bytes were read
   */
  long read(long offset, MemorySegment target);

  /** Writes to the device's file likewise. */
  long write(long offset, MemorySegment source);

  /**
   * Maps a part of a region for direct access. The caller has checked that the region has it, that
   * it can be mapped, and that it is whole pages.
   *
   * @param name what messages call the region
   * @param owner is told when the mapping is closed
   */
  MappedRegion map(
      RegionInfo region, long offset, long size, String name, Consumer<MappedRegion> owner)
      throws VfioException;

  /** Returns whether closing has begun. */
  boolean isClosed();

  /** Ends the device's DMA and interrupts, and lets it go, once; later calls do nothing. */
  int close();
}
