package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.Sysfs;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest {

  @TempDir Path root;

  @BeforeEach
  void plugInADevice() {
    new FakeHost(root).device("0000:00:05.0").attribute("0000:00:05.0", "device", "0x1111");
  }

  private CommandRun run(String... arguments) {
    return CommandRun.of(Sysfs.at(root), arguments);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "lits",
        "list --foo",
        "list 00:05.0",
        "show",
        "show zz",
        "show 00:05.8",
        "bind",
        "bind 00:05",
        "unbind",
        "iommu zz",
        "iommu 00:05.0 00:06.0",
        "doctor zz",
        "doctor 00:05.0 00:06.0",
        "demo zz",
        "demo --nested zz"
      })
  void tellsOfWrongUsageInOneLine(String line) {
    CommandRun run = run(line.isEmpty() ? new String[0] : line.split(" ", -1));

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).singleElement().asString().startsWith("vfio4j: ");
    assertThat(run.err().strip()).endsWith("--help");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "show 0000:00:06.0",
        "iommu 0000:00:06.0",
        "doctor 0000:00:06.0",
        "bind 0000:00:06.0",
        "demo",
        "demo 00:05.0",
        "demo --nested",
        "demo --nested 00:05.0"
      })
  void tellsOfDevicesThatAreNotThereInOneLine(String line) {
    CommandRun run = run(line.split(" ", -1));

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).singleElement().asString().startsWith("vfio4j: ");
  }

  @Test
  void printsWhereAFailureComesFromOnlyIfAsked() {
    assertThat(run("show", "00:06.0").err()).contains("0000:00:06.0").doesNotContain("\tat ");
    assertThat(run("show", "--trace", "00:06.0").err()).contains("\tat ");
    assertThat(run("--trace", "show", "00:06.0").err()).contains("\tat ");
  }

  @Test
  void documentsEveryExitStatus() {
    CommandRun run = run("--help");

    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("list", "show", "iommu", "bind", "unbind", "doctor", "demo");
    assertThat(run.out().lines().filter(line -> line.matches("  [0-7]   .*"))).hasSize(8);
  }

  @Test
  void tellsItsVersion() {
    assertThat(run("--version").out()).startsWith("vfio4j ").contains("Linux");
  }
}
