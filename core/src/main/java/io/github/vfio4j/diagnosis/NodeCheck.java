package io.github.vfio4j.diagnosis;

import io.github.vfio4j.opening.HostFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether a node is there and this user may open it. What blocks one of two nodes is a warning as
 * long as the other is open.
 *
 * @param check the name of the check
 * @param files the host's files
 * @param node the node that is opened, if the kernel has announced one
 */
record NodeCheck(String check, HostFiles files, Optional<Path> node) {

  private boolean isThere() {
    return node.isPresent() && Files.exists(node.get());
  }

  private boolean isOpen() {
    return isThere() && files.attempt(node.orElseThrow()) != HostFiles.Attempt.REFUSED;
  }

  Finding finding(NodeCheck other, String fixIfMissing) {
    if (isOpen()) {
      return Finding.ok(check, "this user may open " + node.orElseThrow());
    }
    String seen = node.map(path -> "there is no " + path).orElse("the kernel has made none");
    String fix = fixIfMissing;
    if (isThere()) {
      seen = "this user may not open " + node.orElseThrow();
      fix = "sudo chown \"$USER\" " + node.orElseThrow();
    }
    return other.isOpen() ? Finding.warning(check, seen, fix) : Finding.failed(check, seen, fix);
  }
}
