package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A C library that speaks German tells the same. */
class LocaleTest {
  @TempDir Path directory;

  /** Shows the words, and what is told from the same answer. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws VfioException {
      Path full = Path.of("/dev/full");
      try {
        Files.writeString(full, "1", StandardOpenOption.WRITE);
      } catch (IOException e) {
        System.out.println(e.getMessage());
      }
      long answer = KernelFiles.HOST.write(full, "1");
      Errno errno = new Errno((int) -answer);
      System.out.println(FileFailure.writing("bind", "it", errno, false).getMessage());
      answer = KernelFiles.HOST.write(Path.of("/nonexistent"), "1");
      errno = new Errno((int) -answer);
      System.out.println(FileFailure.writing("bind", "it", errno, false).getMessage());
    }
  }

  private List<String> run(ProcessBuilder builder) throws IOException {
    builder.environment().put("LOCPATH", directory.toString());
    builder.environment().put("LC_ALL", "de_DE.UTF-8");
    builder.environment().put("LANGUAGE", "de");
    Process process = builder.redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .toList();
  }

  @Test
  void errorsAreTheSameInGerman() throws IOException {
    assumeTrue(Files.exists(Path.of("/usr/share/i18n/locales/de_DE")), "there is no German");
    assumeTrue(Files.exists(Path.of("/usr/share/locale/de/LC_MESSAGES/libc.mo")));
    Path locale = directory.resolve("de_DE.UTF-8");
    assertThat(
            run(new ProcessBuilder("localedef", "-i", "de_DE", "-f", "UTF-8", locale.toString())))
        .isEmpty();

    List<String> lines =
        run(
            new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName()));

    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).startsWith("Auf dem Gerät");
    assertThat(lines.get(1)).isEqualTo("bind on it: ENOSPC");
    assertThat(lines.get(2)).startsWith("bind on it: ENOENT: it is not there");
  }
}
