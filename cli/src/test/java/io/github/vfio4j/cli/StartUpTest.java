package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.cli.host.CommandHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only reads sysfs must not pay for native calls. */
class StartUpTest {

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "list",
        "list --json",
        "doctor",
        "show ffff:ff:1f.7",
        "iommu ffff:ff:1f.7",
        "--version"
      })
  void loadsNoNativeHandles(String arguments) throws IOException, InterruptedException {
    Path log = directory.resolve("classes");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--illegal-native-access=deny");
    command.add("-Xlog:class+load:file=" + log);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Vfio4j.class.getName()));
    command.addAll(List.of(arguments.split(" ", -1)));

    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("output").toFile())
            .start();
    process.waitFor();

    assertThat(Files.readString(log))
        .contains(CommandHost.class.getName() + " ")
        .doesNotContainPattern("io\\.github\\.vfio4j\\.linux\\.(?!ErrnoName )")
        .doesNotContain("java.lang.foreign.Linker ");
    assertThat(Files.readString(directory.resolve("output"))).doesNotContain("a defect");
  }
}
