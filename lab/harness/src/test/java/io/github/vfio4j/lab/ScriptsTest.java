package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts of the lab tell how they are used, before they build or boot anything. */
class ScriptsTest {
  private static final Path LAB = Path.of("..");

  @TempDir Path cache;

  private record Ended(int status, String output) {}

  /** Ends a script that does not refuse at once. */
  private Ended run(String script, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("timeout", "20", LAB.resolve(script).toString()));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", cache.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }

  static List<String> scripts() throws IOException {
    try (Stream<Path> files = Files.list(LAB)) {
      return files
          .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals("init")) // of the guests
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void tellsHowItIsUsed(String script) throws IOException, InterruptedException {
    Ended ended = run(script, "--help");

    assertThat(ended.status()).as(ended.output()).isZero();
    assertThat(ended.output()).startsWith("lab/" + script).doesNotContain("#", "set -e");
    assertThat(cache).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo netsed",
        "demo nested twice",
        "demo vm twice",
        "build clean",
        "bindings --chekc",
        "run",
        "run --machin",
        "run --machine",
        "run --machine nope -- true",
        "run --timeout 1h -- true",
        "test --nonsense",
        "test --tests",
        "test --machine nope",
        "random --minutes",
        "random --minutes soon",
        "random --threads --seed",
        "bench --rounds -1",
        "shell --kernel"
      })
  void refusesWrongArgumentsInOneLine(String line) throws IOException, InterruptedException {
    String[] words = line.split(" ", -1);

    Ended ended = run(words[0], Arrays.copyOfRange(words, 1, words.length));

    assertThat(ended.status()).as(ended.output()).isEqualTo(125);
    assertThat(ended.output().lines())
        .singleElement()
        .asString()
        .startsWith("lab/" + words[0].replace("shell", "run") + ": ");
    assertThat(cache).isEmptyDirectory();
  }
}
