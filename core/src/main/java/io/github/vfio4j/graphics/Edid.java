package io.github.vfio4j.graphics;

import io.github.vfio4j.Region;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_gfx_edid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The monitor that a guest believes to be plugged in: the block of data by which monitors tell
 * their name and modes (EDID), and whether it is switched on. A region of the device holds it.
 *
 * <p>Reading is thread-safe; who sets must be alone. It ends with the device: then its methods
 * throw {@link IllegalStateException}.
 */
public final class Edid {
  private final Region region;
  private final long offset;
  private final int capacity;

  private Edid(Region region, long offset, int capacity) {
    this.region = region;
    this.offset = offset;
    this.capacity = capacity;
  }

  static Edid of(Region region) throws VfioException {
    if (region.size() < vfio_region_gfx_edid.SIZEOF) {
      throw impossible(region, "no room: it has %d bytes".formatted(region.size()));
    }
    long offset = Integer.toUnsignedLong(region.readInt(vfio_region_gfx_edid.edid_offset$OFFSET));
    int capacity = region.readInt(vfio_region_gfx_edid.edid_max_size$OFFSET);
    if (capacity < 0
        || offset < vfio_region_gfx_edid.SIZEOF
        || offset > region.size()
        || capacity > region.size() - offset) {
      throw impossible(
          region,
          "%d bytes at 0x%x, and has 0x%x"
              .formatted(Integer.toUnsignedLong(capacity), offset, region.size()));
    }
    return new Edid(region, offset, capacity);
  }

  private static VfioException impossible(Region region, String what) {
    return new VfioException(
        "read", region.toString(), null, "the region says that its EDID has " + what);
  }

  /**
   * Returns how much room there is.
   *
   * @return bytes
   */
  public int capacity() {
    return capacity;
  }

  /**
   * Returns how wide the device can make the display.
   *
   * @return pixels, or 0 for no limit
   * @throws VfioException as {@link Region#read}
   */
  public int maxWidth() throws VfioException {
    return region.readInt(vfio_region_gfx_edid.max_xres$OFFSET);
  }

  /**
   * Returns how high the device can make the display.
   *
   * @return lines, or 0 for no limit
   * @throws VfioException as {@link Region#read}
   */
  public int maxHeight() throws VfioException {
    return region.readInt(vfio_region_gfx_edid.max_yres$OFFSET);
  }

  /**
   * Returns whether the monitor is switched on.
   *
   * @return whether it was set so
   * @throws VfioException as {@link Region#read}
   */
  public boolean isOn() throws VfioException {
    return region.readInt(vfio_region_gfx_edid.link_state$OFFSET)
        == vfio_h.VFIO_DEVICE_GFX_LINK_STATE_UP;
  }

  /**
   * Switches the monitor on or off.
   *
   * @param on which
   * @throws VfioException as {@link Region#write}
   */
  public void setOn(boolean on) throws VfioException {
    region.writeInt(
        vfio_region_gfx_edid.link_state$OFFSET,
        on ? vfio_h.VFIO_DEVICE_GFX_LINK_STATE_UP : vfio_h.VFIO_DEVICE_GFX_LINK_STATE_DOWN);
  }

  /**
   * Reads the block of data.
   *
   * @return the bytes, of which there may be none
   * @throws VfioException as {@link Region#read}, or if the region says that there are more than it
   *     has room for
   */
  public byte[] read() throws VfioException {
    int size = region.readInt(vfio_region_gfx_edid.edid_size$OFFSET);
    if (size < 0 || size > capacity) {
      throw impossible(region, "%d of %d bytes".formatted(Integer.toUnsignedLong(size), capacity));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(size);
      region.read(offset, data);
      return data.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Plugs in a monitor: switches the one before off, writes the block of data, and switches the new
   * one on. If that fails half way, none is on.
   *
   * @param data the EDID; its content is the guest's matter
   * @throws IllegalArgumentException if it is longer than {@link #capacity}
   * @throws VfioException as {@link Region#write}
   */
  public void plugIn(byte[] data) throws VfioException {
    if (data.length > capacity) {
      throw new IllegalArgumentException(
          "an EDID of %d bytes, and room for %d in %s".formatted(data.length, capacity, region));
    }
    setOn(false);
    try (Arena arena = Arena.ofConfined()) {
      region.write(offset, arena.allocateFrom(ValueLayout.JAVA_BYTE, data));
    }
    region.writeInt(vfio_region_gfx_edid.edid_size$OFFSET, data.length);
    setOn(true);
  }

  /** Returns which region it is. */
  @Override
  public String toString() {
    return "EDID in " + region;
  }
}
