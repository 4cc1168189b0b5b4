package io.github.vfio4j.cli.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Orders for a machine that runs, by way of its socket. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class ControlSocketTest {
  @TempDir Path root;
  @TempDir Path files;
  private final StringWriter out = new StringWriter();
  private final FakeMachine machine = new FakeMachine();
  private CommandHost host;
  private Path path;

  @BeforeEach
  void makeHost() throws IOException {
    FakeHost fake =
        new FakeHost(root)
            .module("vfio-pci")
            .device("0000:00:05.0")
            .driver("0000:00:05.0", "vfio-pci")
            .group(5, "0000:00:05.0");
    host =
        new CommandHost(
            fake.sysfs(),
            PciIds.of(List.of()),
            device -> {
              throw new AssertionError("opened " + device);
            },
            device -> {
              throw new AssertionError("asked of " + device);
            },
            (device, _) -> {
              throw new AssertionError("reset " + device);
            },
            new PrintWriter(out, true),
            new PrintWriter(new StringWriter()));
    path = files.resolve("api");
  }

  /** Gives an order; returns what was told, or what is wrong with it. */
  private String tell(int status, String... order) {
    List<String> words = new ArrayList<>(List.of(path.toString()));
    words.addAll(Arrays.asList(order));
    out.getBuffer().setLength(0);
    int actual =
        new CommandLine(new TellCommand(host))
            .setExecutionExceptionHandler(
                (failure, _, _) -> {
                  out.write(failure.getMessage());
                  return ExitStatus.of(failure);
                })
            .execute(words.toArray(String[]::new));
    assertThat(actual).as("%s", out).isEqualTo(status);
    return out.toString().strip();
  }

  private ControlSocket serve() throws VfioException {
    ControlSocket socket = ControlSocket.bind(path);
    socket.serve(new Orders(host.sysfs(), new CommandLine(new TellCommand(host))), machine);
    return socket;
  }

  @Test
  void ordersAreCarriedOutAndAnswered() throws IOException {
    try (ControlSocket _ = serve()) {
      assertThat(Files.getPosixFilePermissions(path))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      assertThat(tell(ExitStatus.DONE, "devices")).isEmpty();
      tell(ExitStatus.DONE, "plug", "00:05.0,slot=3");
      assertThat(tell(ExitStatus.DONE, "devices")).isEqualTo("0000:00:05.0");
      tell(ExitStatus.DONE, "unplug", "00:05.0");
      assertThat(tell(ExitStatus.DONE, "add-memory", "256M")).isEqualTo("0x100000000");
      assertThat(tell(ExitStatus.FAILED, "dirty", "read")).contains("it is not noted");
      tell(ExitStatus.DONE, "dirty", "on");
      assertThat(tell(ExitStatus.DONE, "dirty", "read"))
          .isEqualTo("0x0: 2 of 16 pages, 0x100000000: 0 of 32 pages");
      tell(ExitStatus.DONE, "dirty", "off");
      assertThat(tell(ExitStatus.FAILED, "dirty", "read")).contains("it is not noted");
      tell(ExitStatus.DONE, "stop");
      assertThat(machine.ending).isDone();
    }
    assertThat(path).doesNotExist();
    assertThat(tell(ExitStatus.FAILED, "devices")).contains("no machine takes orders there");
  }

  @Test
  void refusedOrdersSayWhy() throws IOException {
    try (ControlSocket _ = serve()) {
      assertThat(tell(ExitStatus.FAILED, "unplug", "disk"))
          .contains("the machine has no device of this name");
      assertThat(tell(ExitStatus.FAILED, "fly")).contains("'fly' is no order; known are devices");
      assertThat(tell(ExitStatus.FAILED, "plug")).contains("'plug' is no order");
      assertThat(tell(ExitStatus.FAILED, "stop", "now")).contains("'stop now' is no order");
      assertThat(tell(ExitStatus.FAILED, "plug", "00:05.0,slot=77")).contains("cannot have 77");
      assertThat(tell(ExitStatus.FAILED, "plug", "00:09.0")).contains("0000:00:09.0");
      assertThat(tell(ExitStatus.FAILED, "add-memory", "much")).contains("no amount of memory");
      assertThat(tell(ExitStatus.FAILED, "dirty")).contains("'dirty' is no order");
      assertThat(tell(ExitStatus.FAILED, "dirty", "all")).contains("not 'all'");
      assertThat(tell(ExitStatus.FAILED, "remove-memory", "x")).contains("'x' is no address");
      assertThat(tell(ExitStatus.FAILED, "remove-memory", "0x10")).contains("was added at 16");
    }
  }

  @Test
  void fileThatIsThereStays() throws IOException {
    Files.writeString(path, "mine");

    assertThatThrownBy(() -> ControlSocket.bind(path))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("there is such a file");

    assertThat(path).hasContent("mine");
    assertThatThrownBy(() -> ControlSocket.bind(files.resolve("nowhere/api")))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("nowhere/api");
  }
}
