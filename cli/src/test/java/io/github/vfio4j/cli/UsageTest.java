package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
        "list @/etc/passwd",
        "--json list",
        "help lits",
        "help rehearse",
        "help list show",
        "show",
        "show zz",
        "show 00:05.8",
        "bind",
        "bind 00:05",
        "unbind",
        "iommu zz",
        "iommu 00:05.0 zz",
        "vf",
        "vf zz",
        "vf --create 1 --destroy 00:05.0",
        "vf --create x 00:05.0",
        "reset",
        "reset zz",
        "reset 00:05.0 00:05.1",
        "doctor zz",
        "doctor 00:05.0 zz",
        "show --no-open 00:05.0 zz",
        "mdev zz",
        "mdev create",
        "mdev create mtty",
        "mdev remove",
        "mdev remove zz",
        "migrate",
        "migrate zz",
        "migrate save",
        "migrate save 00:05.0",
        "migrate save zz /nowhere/state",
        "migrate restore 00:05.0",
        "migrate restore zz /nowhere/state",
        "vm",
        "tell",
        "vm --kernel",
        "vm --kernel /proc/version image",
        "vm --kernel /proc/version --memory 1",
        "vm --kernel /proc/version --device zz",
        "vm --kernel /proc/version --model zz",
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
        "vf 0000:00:06.0",
        "reset 0000:00:06.0",
        "mdev create mtty mtty-1",
        "mdev remove 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
        "migrate save 0000:00:06.0 /nowhere/state",
        "migrate restore 0000:00:06.0 /nowhere/state",
        "vm --kernel /proc/version --device 0000:00:06.0",
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mdev creat | unknown command 'creat'; did you mean 'create'? See vfio4j mdev --help",
        "migrate load | unknown command 'load'; see vfio4j migrate --help",
        "lits | unknown command 'lits'; did you mean 'list'? See vfio4j --help",
        "help unbnd | unknown command 'unbnd'; did you mean 'unbind'? See vfio4j --help",
        "doc | unknown command 'doc'; did you mean 'doctor'? See vfio4j --help",
        "-v | unknown option '-v'; did you mean '-V'? See vfio4j --help",
        "list --jsno | unknown option '--jsno'; did you mean '--json'? See vfio4j list --help",
        "show --jsno | unknown option '--jsno'; did you mean '--json'? See vfio4j show --help",
        "bind --forse=1 | unknown option '--forse'; did you mean '--force'? See vfio4j bind --help",
        "vm --kernel /proc/version --device 0:5.0,slto=1 | unknown setting 'slto' of 0:5.0; did you"
            + " mean 'slot'? See vfio4j vm --help",
        "--json show | option '--json' goes after its command; see vfio4j --help",
        "list all | one argument too many: 'all'; see vfio4j list --help",
        "frobnicate | unknown command 'frobnicate'; see vfio4j --help",
        "list -q | unknown option '-q'; see vfio4j list --help"
      })
  void guessesWhatWasMeant(String line, String complaint) {
    assertThat(run(line.split(" ", -1)).err()).isEqualTo("vfio4j: " + complaint + "\n");
  }

  @Test
  void guessesADeviceOnlyWhereOneIsLikelierThanAllOthers() {
    assertThat(run("show", "00:05.1").err()).endsWith("; did you mean 0000:00:05.0?\n");
    assertThat(run("show", "00:15.1").err()).doesNotContain("did you mean");

    new FakeHost(root).device("0000:00:05.2");
    assertThat(run("show", "00:05.1").err()).doesNotContain("did you mean");
  }

  @Test
  void readsNoFileThatAnArgumentNames() throws IOException {
    Path file = Files.writeString(root.resolve("arguments"), "secret");

    assertThat(run("list", "@" + file).err()).contains("'@" + file + "'").doesNotContain("secret");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "list", "show", "iommu", "bind", "unbind", "vf", "reset", "exec", "vm", "tell", "mdev",
        "migrate", "doctor", "demo", "help"
      })
  void helpOfACommandIsWhatItsOptionShows(String command) {
    CommandRun help = run("help", command);

    assertThat(help.status()).isZero();
    assertThat(help.err()).isEmpty();
    assertThat(help.out()).contains("Usage: vfio4j " + command + " ");
    assertThat(help.out()).isEqualTo(run(command, "--help").out());
  }

  @Test
  void aFileThatIsThereIsRefusedBeforeTheDeviceIsOpened() throws IOException {
    Path file = Files.writeString(root.resolve("state"), "kept");

    CommandRun run = run("migrate", "save", "00:05.0", file.toString());

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo("vfio4j: write on " + file + ": it is there already; --force replaces it\n");
    assertThat(file).hasContent("kept");
  }

  @Test
  void helpAloneIsTheGeneralHelp() {
    assertThat(run("help").out()).isEqualTo(run("--help").out());
    assertThat(run("help").status()).isZero();
  }

  @Test
  void helpHasNoColoursForATerminalEither() {
    assertThat(run("--help").out()).doesNotContain("\u001b", "\\x1b");
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
    assertThat(run.out())
        .contains(
            "list", "show", "iommu", "bind", "unbind", "vf", "reset", "exec", "vm", "tell",
            "doctor", "demo", "help");
    assertThat(run.out().lines().filter(line -> line.matches("  [0-8]   .*"))).hasSize(9);
  }

  @Test
  void tellsItsVersion() {
    assertThat(run("--version").out()).startsWith("vfio4j ").contains("Linux");
  }
}
