package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.cli.text.Printable;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes to a terminal, and what becomes of it. */
class OutputTest {
  private static final String EDU = "0000:00:05.0";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void bindADevice() {
    host = new FakeHost(root).module("vfio-pci").device(EDU).group(5, EDU).driver(EDU, "vfio-pci");
  }

  private CommandRun unbindHeldBy(byte[] name) throws IOException {
    host.link("proc/812/fd/9", "/dev/vfio/5").attribute(EDU, "enable", "1");
    Files.write(root.resolve("proc/812/comm"), name);
    return CommandRun.of(host.sysfs(), "unbind", EDU);
  }

  @Test
  void theNameOfAProcessDoesNotReachTheTerminalRaw() throws IOException {
    CommandRun run = unbindHeldBy("a\u001b]0;b\u0007\u009b1m\nc".getBytes(StandardCharsets.UTF_8));

    assertThat(run.status()).isEqualTo(5);
    assertThat(run.err().lines())
        .singleElement()
        .asString()
        .contains("process 812 (a\\x1b]0;b\\x07\\x9b1m\\x0ac) has it open");
  }

  @Test
  void aNameThatIsCutInsideACharacterIsNoOtherError() throws IOException {
    CommandRun run = unbindHeldBy(new byte[] {'q', (byte) 0xe2, (byte) 0x82});

    assertThat(run.status()).isEqualTo(5);
    assertThat(run.err()).contains("process 812 (q\ufffd) has it open");
  }

  @Test
  void theNameOfADriverDoesNotReachTheTerminalRaw() {
    String driver = "d\u001b[2J\u007f";
    host.device("0000:00:06.0").driver("0000:00:06.0", driver);

    assertThat(CommandRun.of(host.sysfs(), "list").out()).contains("d\\x1b[2J\\x7f");
    CommandRun json = CommandRun.of(host.sysfs(), "list", "--json");
    assertThat(json.out().chars().filter(character -> character != '\n'))
        .noneMatch(Character::isISOControl);
    assertThat(json.objects("devices")).anyMatch(device -> driver.equals(device.get("driver")));
  }

  @Test
  void oneOddByteInAnOverrideSpoilsNoList() throws IOException {
    Files.write(
        root.resolve("sys/devices/pci0000:00/" + EDU + "/driver_override"),
        new byte[] {(byte) 0xff, '\n'});

    assertThat(CommandRun.of(host.sysfs(), "list").status()).isZero();
    assertThat(CommandRun.of(host.sysfs(), "show", "--no-open", "--json", EDU).json())
        .containsEntry("driverOverride", "\ufffd");
  }

  @Test
  void charactersThatTurnTheLineAroundAreShown() {
    assertThat(Printable.text("a\u202eb")).isEqualTo("a\\u{202e}b");
    assertThat(Printable.json("\"a\u202eb\"")).isEqualTo("\"a\\u202eb\"");
  }

  @Test
  void textThatCanBePrintedStaysAsItIs() {
    assertThat(Printable.text("Böard 64\u00a0GiB\tof 漢字 \ud83d\ude00\n"))
        .isEqualTo("Böard 64\u00a0GiB\tof 漢字 \ud83d\ude00\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"list", "list --json", "doctor", "--help", "--version"})
  void outputThatCannotBeWrittenIsAnError(String line) throws IOException {
    StringWriter err = new StringWriter();
    int status;
    try (PrintWriter full = new PrintWriter("/dev/full", StandardCharsets.UTF_8)) {
      CommandHost commandHost =
          new CommandHost(
              host.sysfs(),
              PciIds.of(List.of()),
              _ -> {
                throw new AssertionError();
              },
              _ -> {
                throw new AssertionError();
              },
              (_, _) -> {
                throw new AssertionError();
              },
              full,
              full);
      status = Vfio4j.run(commandHost, new PrintWriter(err), line.split(" ", -1));
    }

    assertThat(status).isEqualTo(1);
    assertThat(err.toString().lines())
        .singleElement()
        .asString()
        .startsWith("vfio4j: the output cannot be written");
  }
}
