package io.github.vfio4j.graphics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What a plane showed when the device was asked; {@code VFIO_DEVICE_QUERY_GFX_PLANE}.
 *
 * @param kind in what form its memory is
 * @param type which layer it is
 * @param format how a pixel is laid out, a {@code DRM_FORMAT_}; {@link #formatName} spells it
 * @param modifier how pixels are laid out among each other, a {@code DRM_FORMAT_MOD_}; 0 for line
 *     by line
 * @param width pixels
 * @param height lines
 * @param stride bytes from line to line
 * @param size bytes of its memory
 * @param x where it lies on the display, of a cursor, in pixels
 * @param y where it lies on the display, of a cursor, in lines
 * @param hotSpot which point of a cursor points, where that is known
 * @param number the kernel's number of its memory: the region's index, or the dma-buf's ID. A guest
 *     that has changed its mode has another dma-buf
 */
public record Plane(
    PlaneKind kind,
    PlaneType type,
    int format,
    long modifier,
    int width,
    int height,
    int stride,
    long size,
    int x,
    int y,
    Optional<HotSpot> hotSpot,
    int number) {

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the width, height, stride or size is negative, or the size
   *     is 4 GiB or more
   */
  public Plane {
    if (width < 0 || height < 0 || stride < 0 || size < 0 || size >>> Integer.SIZE != 0) {
      throw new IllegalArgumentException(
          "a plane of %d by %d, %d bytes from line to line, in %d bytes"
              .formatted(width, height, stride, size));
    }
  }

  /**
   * A point of a cursor.
   *
   * @param x pixels from its left edge
   * @param y lines from its top
   */
  public record HotSpot(int x, int y) {}

  /**
   * Returns how a pixel is laid out, as people write it.
   *
   * @return four characters, as {@code XR24} for 32 bits with blue in the lowest
   */
  public String formatName() {
    byte[] letters =
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(format).array();
    StringBuilder name = new StringBuilder();
    new String(letters, StandardCharsets.ISO_8859_1)
        .chars()
        .map(letter -> letter > ' ' && letter < 0x7f ? letter : '?')
        .forEach(name::appendCodePoint);
    return name.toString();
  }
}
