package io.github.vfio4j.outcome;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Who this process runs as, told without a native call. */
public final class RunningUser {
  private static final Pattern EFFECTIVE_ROOT = Pattern.compile("(?m)^Uid:\\s+\\d+\\s+0\\s");

  private RunningUser() {}

  /**
   * Returns whether this is root, who must not be told to become root.
   *
   * @param root the directory that has {@code proc} in it
   */
  public static boolean isRoot(Path root) {
    try {
      byte[] status = Files.readAllBytes(root.resolve("proc/self/status"));
      return EFFECTIVE_ROOT.matcher(new String(status, StandardCharsets.UTF_8)).find();
    } catch (IOException e) {
      return false; // then the usual advice is given
    }
  }
}
