package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A signal between two steps leaves no device without a driver. */
class SignalTest {
  private static final String NIC = "0000:00:05.0";
  private static final String DISK = "0000:00:06.0";

  @TempDir Path root;

  /** A host on which a step is still under way when the signal comes. */
  static final class Program {
    private Program() {}

    static FakeHost host(Path root) {
      return new FakeHost(root)
          .module("vfio-pci")
          .device(NIC)
          .device(DISK)
          .driver(NIC, "e1000e")
          .driver(DISK, "nvme")
          .group(5, NIC)
          .group(6, DISK);
    }

    public static void main(String[] arguments) {
      FakeHost host = host(Path.of(arguments[0]));
      host.observe(
          write -> {
            if (write.equals(arguments[1])) {
              host.observe(_ -> {});
              System.out.println("now");
              awaitSignal();
            }
          });
      CommandHost commandHost =
          new CommandHost(
              host.sysfs().withPatience(Duration.ofMinutes(1)),
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
              Vfio4j.writer(System.out),
              Vfio4j.writer(System.err));
      String[] command = Arrays.copyOfRange(arguments, 2, arguments.length);
      System.exit(Vfio4j.run(commandHost, Vfio4j.writer(System.err), command));
    }

    /** Until the virtual machine is told to end, and a moment more. */
    private static void awaitSignal() {
      Thread nothing = new Thread();
      try {
        while (true) {
          Runtime.getRuntime().addShutdownHook(nothing);
          Runtime.getRuntime().removeShutdownHook(nothing);
          pause(10);
        }
      } catch (IllegalStateException e) {
        pause(300);
      }
    }

    private static void pause(int millis) {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private String killedAt(String write, String... command) throws Exception {
    List<String> words = new ArrayList<>();
    words.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName(),
            root.toString(),
            write));
    words.addAll(List.of(command));
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    try (BufferedReader output = process.inputReader()) {
      assertThat(output.readLine()).isEqualTo("now");
      process.toHandle().destroy(); // the other one closes the streams too
      String rest = String.join("\n", output.lines().toList());
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return rest;
    } finally {
      process.destroyForcibly();
    }
  }

  private static String driverOf(Path root, String device) throws IOException {
    Path link = root.resolve("sys/devices/pci0000:00/" + device + "/driver");
    return link.toRealPath().getFileName().toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"driver_override vfio-pci", "unbind " + NIC, "bind " + NIC})
  void bindingEndsBetweenTwoDevicesAndIsUndone(String write) throws Exception {
    String output = killedAt(write, "bind", NIC, DISK);

    assertThat(output)
        .contains("vfio4j: " + NIC + " is again as it was")
        .contains("vfio4j: bind on " + DISK + ": it was interrupted");
    assertThat(driverOf(root, NIC)).isEqualTo("e1000e");
    assertThat(driverOf(root, DISK)).isEqualTo("nvme");
  }

  @Test
  void bindingOfTheLastDeviceComesToItsEnd() throws Exception {
    assertThat(killedAt("unbind " + NIC, "bind", NIC)).contains("e1000e -> vfio-pci");
    assertThat(driverOf(root, NIC)).isEqualTo("vfio-pci");
  }
}
