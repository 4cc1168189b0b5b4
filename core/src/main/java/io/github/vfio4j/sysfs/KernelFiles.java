package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNumber;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** What the kernel's files do that a tree of ordinary files cannot, so that tests can stand in. */
interface KernelFiles {

  /** The files of this host. */
  KernelFiles HOST =
      new KernelFiles() {
        @Override
        public void write(Path attribute, String value) throws IOException {
          Files.writeString(attribute, value, StandardOpenOption.WRITE);
        }

        @Override
        public Optional<DeviceNumber> number(Path node) throws IOException {
          try {
            Number number = (Number) Files.getAttribute(node, "unix:rdev");
            return Optional.of(DeviceNumber.of(number.longValue()));
          } catch (NoSuchFileException e) {
            return Optional.empty();
          }
        }
      };

  /** Writes an attribute; the kernel acts before this returns. */
  void write(Path attribute, String value) throws IOException;

  /** The number of a device node, or empty while there is no such file. */
  Optional<DeviceNumber> number(Path node) throws IOException;
}
