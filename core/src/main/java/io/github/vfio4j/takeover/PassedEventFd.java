package io.github.vfio4j.takeover;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Proves that a file which another process has passed is an eventfd that never blocks: reading
 * anything else could stop whoever only looks.
 */
public final class PassedEventFd {
  private static final Path FILES = Path.of("/proc/self/fd");
  private static final Path INFO = Path.of("/proc/self/fdinfo");
  private static final int O_NONBLOCK = 04000;
  private static final String FLAGS = "flags:";

  private PassedEventFd() {}

  public static void require(Fd passed) throws VfioException {
    int number = passed.acquire();
    try {
      String name = Integer.toString(number);
      String kind = Files.readSymbolicLink(FILES.resolve(name)).toString();
      if (!kind.equals("anon_inode:[eventfd]") || blocks(Files.readAllLines(INFO.resolve(name)))) {
        throw refusal(passed, "it is no eventfd that is read without blocking, but " + kind);
      }
    } catch (VfioException e) {
      throw e;
    } catch (IOException e) {
      throw refusal(passed, "nobody tells what it is: " + e);
    } finally {
      passed.release();
    }
  }

  private static boolean blocks(List<String> info) {
    return info.stream()
        .filter(line -> line.startsWith(FLAGS))
        .map(line -> line.substring(FLAGS.length()).strip())
        .noneMatch(flags -> (Integer.parseInt(flags, 8) & O_NONBLOCK) != 0);
  }

  private static VfioException refusal(Fd passed, String why) {
    return new VfioException("take over", passed.object(), null, why);
  }
}
