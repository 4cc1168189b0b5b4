package io.github.vfio4j.cli;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.exec.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A user of this system, as {@code id} knows it, wherever the system has its users from. */
final class UserAccount {
  private static final Pattern IDS =
      Pattern.compile("^uid=(\\d+)\\b.* gid=(\\d+)\\b.* groups=(\\d+.*)$", Pattern.DOTALL);
  private static final Pattern GROUP = Pattern.compile("(?:^|,)(\\d+)");

  private UserAccount() {}

  /** Looks up a user by name or number. */
  static Identity find(String name) throws VfioException {
    try {
      Process id =
          new ProcessBuilder("id", "--", name)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      id.getOutputStream().close();
      String told = new String(id.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (id.waitFor() != 0) {
        throw new VfioException("id", name, null, "there is no such user");
      }
      return parse(name, told);
    } catch (IOException e) {
      throw e instanceof VfioException failure
          ? failure
          : new VfioException("id", name, null, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new VfioException("id", name, null, "interrupted");
    }
  }

  static Identity parse(String name, String told) throws VfioException {
    Matcher ids = IDS.matcher(told);
    try {
      if (ids.find()) {
        List<Integer> groups =
            GROUP
                .matcher(ids.group(3))
                .results()
                .map(group -> Integer.parseUnsignedInt(group.group(1)))
                .toList();
        return new Identity(
            Integer.parseUnsignedInt(ids.group(1)), Integer.parseUnsignedInt(ids.group(2)), groups);
      }
    } catch (IllegalArgumentException e) {
      // no number of a user has more than 32 bits, or is the last of them
    }
    throw new VfioException("id", name, null, "it tells what is no user: " + told);
  }
}
