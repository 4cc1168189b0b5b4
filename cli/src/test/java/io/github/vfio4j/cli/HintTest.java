package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.cli.host.StandardStream;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person is told besides. */
class HintTest {

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void plugInADevice() {
    host = new FakeHost(root).device("0000:00:05.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"list", "show 00:05.0", "show 00:05.0 00:05.0"})
  void saysOnceWhatPackageHasTheNames(String line) {
    CommandRun run = CommandRun.of(host.sysfs(), line.split(" ", -1));

    assertThat(run.hints()).hasLineCount(1).contains("apt install pci.ids").contains("hwdata");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"list --json", "show --json 00:05.0", "list --vfio", "show 00:06.0"})
  void saysNothingWhereNoPersonMissesNames(String line) {
    assertThat(CommandRun.of(host.sysfs(), line.split(" ", -1)).hints()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "/dev/pts/3, true",
    "/dev/tty1, true",
    "/dev/hvc0, true",
    "/dev/console, true",
    "/dev/null, false",
    "pipe:[12], false",
    "/tmp/dev/pts/3, false"
  })
  void knowsATerminal(Path target, boolean terminal) throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), target);

    assertThat(StandardStream.isTerminal(link)).isEqualTo(terminal);
    Files.delete(link); // JUnit complains of links that lead out of its directory
  }

  @Test
  void knowsThatWhatIsNotOpenIsNone() {
    assertThat(StandardStream.isTerminal(root.resolve("absent"))).isFalse();
  }
}
