package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code bin/vfio4j} starts the command wherever the project lies. */
class StartScriptTest {
  private static final List<String> NEEDED =
      List.of("bindings", "linux", "core", "edu", "nvme", "model", "vmm", "picocli", "jackson");

  @TempDir Path directory;

  /** Lays out a project as it is when it is built. */
  private Path script(String name) throws IOException {
    Path project = directory.resolve(name);
    Path library = Files.createDirectories(project.resolve("cli/target/lib"));
    Path bin = Files.createDirectory(project.resolve("bin"));
    for (String file : List.of("vfio4j", "jdk")) {
      Files.copy(Path.of("../bin", file), bin.resolve(file));
      assertThat(bin.resolve(file).toFile().setExecutable(true)).isTrue();
    }
    int number = 0;
    for (String element : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path target = Path.of(element).toAbsolutePath();
      boolean tests = element.contains("test-classes") || element.endsWith("-tests.jar");
      if (!tests && NEEDED.stream().anyMatch(element::contains)) {
        String suffix = element.endsWith(".jar") ? "-" + target.getFileName() : "";
        copy(target, library.resolve("element" + number++ + suffix));
      }
    }
    copy(Path.of("target/classes"), project.resolve("cli/target/vfio4j-cli.jar"));
    return bin.resolve("vfio4j");
  }

  /** The virtual machine takes no links for modules. */
  private static void copy(Path from, Path to) throws IOException {
    Process process =
        new ProcessBuilder("cp", "-r", from.toString(), to.toString()).inheritIO().start();
    assertThat(process.onExit().join().exitValue()).isZero();
  }

  private record Ended(int status, String output) {}

  private static Ended run(Path script, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(script.toString(), "--version");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return new Ended(process.waitFor(), output);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "with a blank", "with:a colon"})
  void startsBelowAnyPath(String name) throws IOException, InterruptedException {
    Ended ended = run(script(name), Map.of());

    assertThat(ended.output()).startsWith("vfio4j ").contains("Linux");
    assertThat(ended.status()).isZero();
  }

  @Test
  void aHomeOfJavaMayHaveABlank() throws IOException, InterruptedException {
    Path home = directory.resolve("a blank");
    Files.createSymbolicLink(home, Path.of(System.getProperty("java.home")));

    Ended ended = run(script("plain"), Map.of("JAVA_HOME", home.toString()));

    assertThat(ended.output()).startsWith("vfio4j ");
    Files.delete(home); // JUnit complains of links that lead out of its directory
  }

  @Test
  void aHomeOfJavaWithAColonIsRefusedInOneLine() throws IOException, InterruptedException {
    Ended ended = run(script("plain"), Map.of("JAVA_HOME", "/opt/a:b"));

    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.output().lines())
        .singleElement()
        .asString()
        .contains("colon")
        .contains("/opt/a:b");
  }
}
