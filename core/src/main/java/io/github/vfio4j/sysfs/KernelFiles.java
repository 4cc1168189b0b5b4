package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** What the kernel's files do that a tree of ordinary files cannot, so that tests can stand in. */
interface KernelFiles {

  /** The files of this host. */
  KernelFiles HOST = new RunningFiles();

  /** Does beforehand what the first write takes time for, and the kernel has no part in. */
  void prepareToWrite() throws VfioException;

  /**
   * Writes an attribute; the kernel acts before this returns, and may take for ever.
   *
   * @return the kernel's answer: the number of bytes, or a negated error number
   * @throws VfioException if the kernel cannot be asked
   */
  long write(Path attribute, String value) throws VfioException;

  /** The number of a device node, or empty while there is no such file. */
  Optional<DeviceNumber> number(Path node) throws IOException;
}
