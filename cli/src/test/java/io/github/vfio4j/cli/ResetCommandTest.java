package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResetCommandTest {

  private static final String DISK = "0000:00:05.0";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void plugInADevice() {
    host = new FakeHost(root).device(DISK).attribute(DISK, "reset_method", "flr bus");
  }

  private CommandRun run(CommandHost.Resetter resetter, String... arguments) {
    return CommandRun.resetting(host.sysfs(), resetter, arguments);
  }

  @Test
  void saysWhatWasResetAndHow() {
    assertThat(run((device, _) -> List.of(device.name()), "reset", "00:05.0").lines())
        .containsExactly(DISK + "  reset (flr)");
    assertThat(run((_, _) -> List.of(DISK, "0000:00:05.1"), "reset", "--hot", DISK).lines())
        .containsExactly(
            DISK + "  reset with its slot or bus", "0000:00:05.1  reset with its slot or bus");
  }

  @Test
  void printsJson() {
    assertThat(
            run((_, hot) -> hot ? List.of(DISK) : List.of(), "reset", "--hot", "--json", DISK)
                .json())
        .containsEntry("name", DISK)
        .containsEntry("method", "hot")
        .containsEntry("reset", List.of(DISK));
  }

  @Test
  void tellsWhoIsInTheWay() {
    CommandRun run =
        run(
            (device, _) -> {
              throw new DeviceBusyException("reset", device.name(), null, "x is open");
            },
            "reset",
            DISK);

    assertThat(run.status()).isEqualTo(5);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).isEqualTo("vfio4j: reset on " + DISK + ": x is open\n");
  }
}
