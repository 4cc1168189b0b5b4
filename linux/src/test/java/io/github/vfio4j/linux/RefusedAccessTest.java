package io.github.vfio4j.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whichever way it is run, an access that a device refuses is an error, and the JVM lives on. */
class RefusedAccessTest {
  private static final List<String> ACCESSES =
      Stream.of("Byte", "Short", "Int", "Long")
          .flatMap(
              width ->
                  Stream.of(
                      "get" + width,
                      "get" + width + "Acquire",
                      "set" + width,
                      "set" + width + "Release"))
          .toList();

  @ParameterizedTest
  @ValueSource(strings = {"-Xint", "-XX:TieredStopAtLevel=1", "-XX:-TieredCompilation"})
  void isAnError(String mode, @TempDir Path directory) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xbatch",
                mode,
                "-XX:ErrorFile=" + directory.resolve("crash"),
                "-cp",
                System.getProperty("java.class.path"),
                RefusedAccesses.class.getName(),
                directory.resolve("device").toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output.lines()).containsExactlyElementsOf(ACCESSES);
  }
}
