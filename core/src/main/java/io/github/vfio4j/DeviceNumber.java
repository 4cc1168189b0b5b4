package io.github.vfio4j;

/**
 * The number by which the kernel knows a device node, whatever the node is called.
 *
 * @param major the driver's part
 * @param minor the device's part
 */
public record DeviceNumber(int major, int minor) {

  /**
   * Takes apart a {@code dev_t}, as {@code st_rdev} of {@code stat} holds it.
   *
   * @param dev the number as the C library packs it
   * @return its parts
   */
  public static DeviceNumber of(long dev) {
    long major = ((dev >>> 8) & 0xfff) | ((dev >>> 32) & 0xffff_f000L);
    long minor = (dev & 0xff) | ((dev >>> 12) & 0xffff_ff00L);
    return new DeviceNumber((int) major, (int) minor);
  }

  /**
   * Reads a number as sysfs writes it.
   *
   * @param text such as {@code 511:0}
   * @return the number
   * @throws IllegalArgumentException if the text is none
   */
  public static DeviceNumber parse(String text) {
    int colon = Math.max(0, text.indexOf(':'));
    int major = Integer.parseInt(text.substring(0, colon));
    int minor = Integer.parseInt(text.substring(colon + 1));
    if (major < 0 || minor < 0) {
      throw new IllegalArgumentException("not a device number: " + text);
    }
    return new DeviceNumber(major, minor);
  }

  /** {@return the number as sysfs writes it, such as {@code 511:0}} */
  @Override
  public String toString() {
    return major + ":" + minor;
  }
}
