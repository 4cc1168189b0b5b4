package io.github.vfio4j.config;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.ConfigSpace.CapabilityId;
import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Vital product data: what a card is called, and its numbers.
 *
 * <p>A value is of bytes, most often ASCII; here each is a character of ISO 8859-1, so that none is
 * lost.
 *
 * @param name what the card is called
 * @param readOnly what its maker says of it by keywords of two letters, such as {@code PN} (part
 *     number) and {@code SN} (serial number), in the device's order
 * @param writable what can be changed, likewise
 */
public record VitalProductData(
    String name, Map<String, String> readOnly, Map<String, String> writable) {
  private static final int ADDRESS = 2;
  private static final int DATA = 4;
  private static final int DONE = 0x8000;
  private static final int LARGEST = 0x8000;
  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long PAUSE = TimeUnit.MICROSECONDS.toNanos(50);

  private static final int LARGE = 0x80;
  private static final int NAME = 0x82;
  private static final int READ_ONLY = 0x90;
  private static final int WRITABLE = 0x91;
  private static final int END = 0x0f;
  private static final int FIELD_HEADER = 3;

  /** Keeps its own copies. */
  public VitalProductData {
    readOnly = Collections.unmodifiableMap(new LinkedHashMap<>(readOnly));
    writable = Collections.unmodifiableMap(new LinkedHashMap<>(writable));
  }

  /**
   * Reads the vital product data of an open device, word by word: an address is written to a
   * register, and the device says when the word is there. Not to be done by two threads at once.
   *
   * @param space the device's configuration space
   * @return the data; empty where the device has no such capability
   * @throws IllegalStateException if the device is closed
   * @throws DeviceTimeoutException if the device does not give a word within a quarter of a second
   * @throws VfioException if the kernel refuses, or what the device gives is no such data
   */
  public static Optional<VitalProductData> read(ConfigSpace space) throws VfioException {
    Optional<ConfigSpace.Capability> found = space.find(CapabilityId.VITAL_PRODUCT_DATA);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Region region = space.region();
    int offset = found.get().offset();
    if (offset + DATA + Integer.BYTES > region.size()) {
      throw broken(region.toString(), offset);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int whole = 0;
    int wanted = 1;
    while (whole < wanted && whole < LARGEST) {
      int word = word(region, offset, whole);
      for (int i = 0; i < Integer.BYTES; i++) {
        bytes.write(word >>> (i * Byte.SIZE));
      }
      whole += Integer.BYTES;
      wanted = wanted(bytes.toByteArray());
    }
    return Optional.of(parse(region.toString(), bytes.toByteArray()));
  }

  private static int word(Region region, int offset, int address) throws VfioException {
    region.writeShort(offset + ADDRESS, (short) address);
    long start = System.nanoTime();
    while ((region.readShort(offset + ADDRESS) & DONE) == 0) {
      if (System.nanoTime() - start > PATIENCE) {
        throw new DeviceTimeoutException(
            "read vital product data",
            region.toString(),
            null,
            "the device does not give the word at 0x%x".formatted(address));
      }
      LockSupport.parkNanos(PAUSE);
    }
    return region.readInt(offset + DATA);
  }

  /** Returns how many bytes are surely there: up to the head of the next item, unless it ends. */
  private static int wanted(byte[] bytes) {
    int at = 0;
    while (at < bytes.length) {
      int tag = Byte.toUnsignedInt(bytes[at]);
      if ((tag & LARGE) == 0) {
        if (tag >>> 3 == END || tag == 0) {
          return at + 1;
        }
        at += 1 + (tag & 0x7);
      } else if (tag == 0xff) {
        return at + 1;
      } else if (at + FIELD_HEADER > bytes.length) {
        return at + FIELD_HEADER;
      } else {
        at += FIELD_HEADER + u16(bytes, at + 1);
      }
    }
    return at + 1;
  }

  /**
   * Takes data apart that was read elsewhere, as from {@code vpd} in sysfs.
   *
   * @param object what they are of, for messages
   * @param bytes the data
   * @return what is in them, up to their end tag
   * @throws VfioException if they are no such data
   */
  public static VitalProductData parse(String object, byte[] bytes) throws VfioException {
    String name = "";
    Map<String, String> readOnly = new LinkedHashMap<>();
    Map<String, String> writable = new LinkedHashMap<>();
    int at = 0;
    while (at < bytes.length) {
      int tag = Byte.toUnsignedInt(bytes[at]);
      boolean large = (tag & LARGE) != 0;
      if (!large && (tag >>> 3 == END)) {
        return new VitalProductData(name, readOnly, writable);
      }
      int header = large ? FIELD_HEADER : 1;
      if (at + header > bytes.length || tag == 0 || tag == 0xff) {
        break;
      }
      int size = large ? u16(bytes, at + 1) : tag & 0x7;
      int start = at + header;
      if (size > bytes.length - start) {
        break;
      }
      switch (tag) {
        case NAME -> name = text(bytes, start, size);
        case READ_ONLY -> fields(object, bytes, start, size, readOnly);
        case WRITABLE -> fields(object, bytes, start, size, writable);
        default -> {}
      }
      at = start + size;
    }
    throw broken(object, at);
  }

  private static void fields(
      String object, byte[] bytes, int first, int total, Map<String, String> into)
      throws VfioException {
    int at = first;
    int end = first + total;
    while (at < end) {
      int size = at + FIELD_HEADER > end ? total : Byte.toUnsignedInt(bytes[at + 2]);
      if (at + FIELD_HEADER + size > end) {
        throw broken(object, at);
      }
      into.put(text(bytes, at, 2), text(bytes, at + FIELD_HEADER, size));
      at += FIELD_HEADER + size;
    }
  }

  private static String text(byte[] bytes, int at, int size) {
    return new String(bytes, at, size, StandardCharsets.ISO_8859_1);
  }

  private static int u16(byte[] bytes, int at) {
    return Byte.toUnsignedInt(bytes[at]) | Byte.toUnsignedInt(bytes[at + 1]) << Byte.SIZE;
  }

  private static VfioException broken(String object, int at) {
    return new VfioException(
        "read vital product data",
        object,
        null,
        "what is at 0x%x of it makes no sense".formatted(at));
  }
}
