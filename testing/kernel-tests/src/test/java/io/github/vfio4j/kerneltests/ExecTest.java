package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code vfio4j exec}: a program without privileges gets devices as open files. */
@OnMachine(value = "intel/legacy", since = "7.0")
@Timeout(value = 5, unit = TimeUnit.MINUTES) // JVMs, and a machine, on an emulated processor
class ExecTest {
  @TempDir Path directory;

  private record Ended(int status, List<String> out, String err) {}

  private Ended run(List<String> command) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new Ended(
        process.waitFor(),
        Files.readString(out).lines().map(String::strip).toList(),
        Files.readString(err));
  }

  private Ended exec(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("vfio4j", "exec"));
    command.addAll(List.of(arguments));
    return run(command);
  }

  private static String node(Device device) throws IOException {
    return Sysfs.host().device(device.address()).cdev().orElseThrow().path().toString();
  }

  private static final String TELL =
      "id -u; id -G; ulimit -l; (kill -PIPE $BASHPID; echo ignores SIGPIPE);"
          + " grep -E 'Cap(Eff|Prm)|SigBlk' /proc/self/status;"
          + " cd /proc/self/fd; for each in *; do [[ $each -lt 3 || ! -e $each ]] ||"
          + " echo $each $(readlink $each); done";

  @Test
  @Bound({Device.EDU, Device.EDU_2})
  void programInheritsTheFilesAndNothingElse() throws IOException, InterruptedException {
    Ended ended =
        exec(
            "--device",
            Machine.EDU.toString(),
            Machine.EDU_2.toString(),
            "--user",
            "nobody",
            "--memlock",
            "3M",
            "--",
            "bash",
            "-c",
            TELL + "; echo {cdev1} {cdev0} {iommufd}");

    assertThat(ended.err()).isEmpty();
    assertThat(ended.status()).isZero();
    String[] numbers = ended.out().getLast().split(" ", -1);
    assertThat(ended.out())
        .startsWith("65534", "65534", "3072")
        .doesNotContain("ignores SIGPIPE")
        .contains(
            "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "SigBlk:\t0000000000000000",
            numbers[0] + " " + node(Device.EDU_2),
            numbers[1] + " " + node(Device.EDU),
            numbers[2] + " /dev/iommu");
    assertThat(ended.out().stream().filter(line -> line.matches("\\d+ \\D.*"))) // sockets, too
        .as("%s", ended.out())
        .hasSize(3);
  }

  @Test
  @Bound(Device.EDU)
  void programOfTheLegacyInterfaceGetsTheGroup() throws IOException, InterruptedException {
    Ended ended =
        exec(
            "--device",
            Machine.EDU.toString(),
            "--",
            "bash",
            "-c",
            "readlink /proc/self/fd/{group}");

    assertThat(ended.err()).isEmpty();
    int group = Sysfs.host().device(Machine.EDU).iommuGroup().orElseThrow();
    assertThat(ended.out()).containsExactly("/dev/vfio/" + group);
  }

  @Test
  void deviceIsBoundFirstIfAskedAndGivenBackIfTheProgramDoesNotStart()
      throws IOException, InterruptedException {
    String device = Machine.RNG.toString();
    String driver = Sysfs.host().device(Machine.RNG).driver().orElseThrow();
    Ended unbound = exec("--device", device, "--", "true", "{cdev}");
    assertThat(unbound.status()).isEqualTo(6);
    assertThat(unbound.err()).contains("vfio4j bind");

    Path elsewhere = withoutInterpreter();
    Ended failed = exec("--bind", "--device", device, "--", elsewhere.toString(), "{cdev}");

    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.err()).contains("execvp on " + elsewhere + ": ENOENT");
    assertThat(Sysfs.host().device(Machine.RNG).driver()).contains(driver);
  }

  private Path withoutInterpreter() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path program = Files.writeString(directory.resolve("elsewhere"), "#!/nowhere/interpreter");
    return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void deviceIsGivenBackAlsoWhereSomebodyElsesProgramDoesNotStart()
      throws IOException, InterruptedException {
    String device = Machine.RNG.toString();
    String driver = Sysfs.host().device(Machine.RNG).driver().orElseThrow();
    Path program = withoutInterpreter();

    Ended failed =
        exec(
            "--bind",
            "--device",
            device,
            "--user",
            "nobody",
            "--memlock",
            "1M",
            "--",
            program.toString(),
            "{cdev}");

    assertThat(failed.err())
        .contains("execvp on " + program + ": ENOENT")
        .doesNotContain("then also");
    assertThat(failed.status()).isEqualTo(1);
    assertThat(Sysfs.host().device(Machine.RNG).driver()).contains(driver);
  }
}
