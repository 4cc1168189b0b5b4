package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script, as bash runs it when the tabulator is hit at the end of a line. */
class CompletionCommandTest {
  private static final String HIT =
      """
      set -eu
      source "$0"
      COMP_LINE=$1 COMP_POINT=${#1}
      _vfio4j
      printf '%s\\n' "${COMPREPLY[@]}"
      """;

  @TempDir Path directory;
  private Path script;

  @BeforeEach
  void printScript() throws IOException {
    script = directory.resolve("script");
    CommandRun run = CommandRun.of(Sysfs.at(directory), "completion");
    assertThat(run.status()).isZero();
    Files.writeString(script, run.out());
  }

  private List<String> complete(String line) throws IOException, InterruptedException {
    Process bash =
        new ProcessBuilder("bash", "-c", HIT, script.toString(), line)
            .redirectErrorStream(true)
            .start();
    String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(output).isZero();
    return output.strip().lines().toList();
  }

  @ParameterizedTest
  @CsvSource({
    "vfio4j sh, show",
    "vfio4j --trace unb, unbind",
    "vfio4j bind --f, --force",
    "vfio4j bind 00:05.0 --j, --json",
    "vfio4j demo --n, --nested",
    "vfio4j vf --cr, --create",
    "vfio4j reset --ho, --hot",
    "vfio4j vm --k, --kernel",
    "vfio4j help doc, doctor",
    "vfio4j mdev c, create",
    "vfio4j mdev create --j, --json",
    "vfio4j --trace migrate r, restore",
    "vfio4j migrate save 00:05.0 --f, --force"
  })
  void completes(String line, String word) throws IOException, InterruptedException {
    assertThat(complete(line)).containsExactly(word);
  }

  @Test
  void knowsEveryCommandButTheHiddenOne() throws IOException, InterruptedException {
    assertThat(complete("vfio4j "))
        .contains(
            "list", "show", "iommu", "bind", "unbind", "vf", "reset", "exec", "vm", "tell",
            "doctor", "demo", "help")
        .contains("--help")
        .doesNotContain("rehearse");
  }

  @Test
  void aNameIsCompletedAndNotCarriedOut() throws IOException, InterruptedException {
    Path devices = Files.createDirectory(directory.resolve("devices"));
    Files.createFile(devices.resolve("0000:00:05.0"));
    Files.createFile(devices.resolve("0000:00:$(echo carried out)"));
    Files.writeString(
        script, Files.readString(script).replace("/sys/bus/pci/devices", devices.toString()));

    assertThat(complete("vfio4j bind 0000:"))
        .containsExactlyInAnyOrder("00:$(echo carried out)", "00:05.0");
    assertThat(complete("vfio4j bind 00:05")).containsExactly("05.0");
    assertThat(complete("vfio4j bind *")).isEmpty();
  }

  @Test
  void offersTheDevicesThatThereAre() throws IOException, InterruptedException {
    Path devices = Path.of("/sys/bus/pci/devices");
    List<String> names = List.of();
    if (Files.isDirectory(devices)) {
      try (Stream<Path> found = Files.list(devices)) {
        names = found.map(each -> each.getFileName().toString()).toList();
      }
    }
    assertThat(complete("vfio4j show "))
        .filteredOn(word -> word.contains(":"))
        .containsExactlyInAnyOrderElementsOf(names);
    for (String name : names) {
      String afterTheLastColon = name.substring(name.lastIndexOf(':') + 1);
      assertThat(complete("vfio4j bind " + name)).containsExactly(afterTheLastColon);
      if (name.startsWith("0000:")) {
        assertThat(complete("vfio4j bind " + name.substring(5))).containsExactly(afterTheLastColon);
      }
    }
  }
}
