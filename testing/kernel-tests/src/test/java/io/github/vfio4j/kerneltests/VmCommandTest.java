package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code vfio4j vm}, as a user runs it. */
@OnMachine(value = "intel/scalable", since = "7.0")
class VmCommandTest extends GuestTests {
  private static final int SIGTERM_STATUS = 128 + 15;

  private Path out;
  private Path err;

  @BeforeEach
  void makeFiles() throws IOException {
    out = Files.createTempFile(directory, "out", "");
    err = Files.createTempFile(directory, "err", "");
  }

  private static List<String> vm(String orders, String... arguments) {
    List<String> command = new ArrayList<>(List.of("vfio4j", "vm", "--kernel", KERNEL.toString()));
    command.addAll(List.of("--initrd", initrd.toString(), "--memory", "128M"));
    command.addAll(List.of("--append", commandLine(orders)));
    command.addAll(Arrays.asList(arguments));
    return command;
  }

  private Process start(List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .redirectOutput(out.toFile())
        .redirectError(err.toFile())
        .start();
  }

  /** Runs a command, and returns what the guest has said; nobody has complained. */
  private String run(int status, List<String> command) throws IOException, InterruptedException {
    Process process = start(command);
    try {
      process.getOutputStream().close();
      int actual = process.waitFor();
      assertThat(actual).as(Files.readString(err) + Files.readString(out)).isEqualTo(status);
      return Files.readString(out);
    } catch (InterruptedException e) {
      throw new InterruptedException(
          "it has not ended, and said: " + Files.readString(out) + Files.readString(err));
    } finally {
      kill(process); // one that the time limit has interrupted still has its devices
    }
  }

  private static void kill(Process process) throws InterruptedException {
    for (ProcessHandle child : process.descendants().toList()) {
      child.destroyForcibly();
      child.onExit().join();
    }
    process.destroyForcibly().waitFor();
  }

  private void await(Path file, String text) throws IOException, InterruptedException {
    try {
      while (!Files.readString(file).contains(text)) {
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      throw new InterruptedException(
          "no '" + text + "' is in: " + Files.readString(file) + Files.readString(err));
    }
  }

  @Test
  @Bound(Device.EDU)
  void guestGetsADeviceAndAModelAndTurnsItselfOff() throws Exception {
    String said =
        run(
            0,
            vm(
                "machine,bars,edu,disk,off",
                "--cpus=2",
                "--device=00:05.0,iommufd=off,slot=7,unmapped=0,bar0=0xd8000000",
                "--model=nvme,size=8M"));

    assertThat(err).isEmptyFile();
    assertThat(said)
        .contains("guest: 2 processors, between 96 and 128 MiB")
        .contains("guest: function 0000:00:01.0", "guest: function 0000:00:07.0")
        .contains("guest: 0000:00:07.0 has memory by 32 bits at 0xd8000000, BAR 0")
        .contains("guest: 0000:00:01.0 has memory by 32 bits at ") // a disk without 64 bits
        .contains("guest: edu computes 3628800", "guest: edu copies all")
        .contains("guest: disk says \r\n", "guest: disk is written");
  }

  @Test
  @Bound(Device.EDU)
  void deviceMayBePassedAsAnOpenFile() throws Exception {
    Path node = Sysfs.host().device(Machine.EDU).cdev().orElseThrow().path();
    List<String> command =
        new ArrayList<>(
            List.of("bash", "-c", "exec 8<>$0 9<>/dev/iommu; exec \"$@\"", node.toString()));
    command.addAll(vm("edu,off", "--device=fd=8", "--iommufd-fd=9"));

    assertThat(run(0, command)).contains("guest: edu computes 3628800", "guest: edu copies all");
  }

  @ParameterizedTest
  @ValueSource(strings = {"on", "off"})
  @Timeout(value = 4, unit = TimeUnit.MINUTES) // two machines, one after the other
  @Bound({Device.EDU, Device.NVME})
  void killedMachineLeavesItsDevicesToTheNext(String iommufd) throws Exception {
    String[] devices = {
      "--device=00:05.0,iommufd=" + iommufd, "--device=02:00.0,iommufd=" + iommufd
    };
    Process killed = start(vm("edu,disk".repeat(100).replace("kedu", "k,edu"), devices));
    try {
      await(out, "guest: disk is written");
    } finally {
      kill(killed); // between two accesses, or in one
    }

    assertThat(run(0, vm("edu,disk,off", devices)))
        .contains("guest: edu's message 1, status 3", "guest: edu copies all")
        .contains("guest: disk is written");
  }

  @Test
  void resetAndWhatIsNoKernelHaveTheirStatus() throws Exception {
    run(8, vm("reset", "--no-reboot"));
    assertThat(err).content().contains("the guest has asked for a reset");

    run(1, List.of("vfio4j", "vm", "--kernel", "/proc/version"));
    assertThat(err).content().contains("/proc/version: it is not a kernel for x86").hasLineCount(1);
  }

  @Test
  void terminalIsTheGuestsUntilASignalEndsTheMachine() throws Exception {
    Path pid = directory.resolve("pid");
    String session =
        "stty -g; bash -c 'echo $$ >%s; exec \"$@\"' vm %s; echo status $?; stty -g"
            .formatted(
                pid,
                String.join(" ", vm("echo,sleep").stream().map(it -> "'" + it + "'").toList()));
    Process script = start(List.of("script", "-q", "-e", "-c", session, "/dev/null"));
    try (OutputStream keys = script.getOutputStream()) {
      await(out, "guest: says");
      keys.write("hello\r".getBytes(UTF_8));
      keys.flush();
      await(out, "guest: heard hello");

      long number = Long.parseLong(Files.readString(pid).strip());
      assertThat(ProcessHandle.of(number).orElseThrow().destroy()).isTrue();

      assertThat(script.waitFor()).isZero();
    } finally {
      kill(script);
    }
    List<String> lines = Files.readString(out).lines().toList();
    assertThat(lines.get(1)).contains("Ctrl-A x ends the machine");
    assertThat(lines.subList(lines.size() - 2, lines.size()))
        .containsExactly("status " + SIGTERM_STATUS, lines.getFirst());
  }
}
