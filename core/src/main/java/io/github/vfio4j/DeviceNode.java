package io.github.vfio4j;

import java.nio.file.Path;

/**
 * A device node under {@code /dev/vfio} that the kernel has announced. Whoever opens it compares
 * the number, since a node may have been replaced by another of the same name.
 *
 * @param path where it is, or is about to appear
 * @param number the number it must have
 */
public record DeviceNode(Path path, DeviceNumber number) {

  /** {@return the node's last name, such as {@code vfio0}, or {@code 12} for a group} */
  public String name() {
    return String.valueOf(path.getFileName());
  }
}
