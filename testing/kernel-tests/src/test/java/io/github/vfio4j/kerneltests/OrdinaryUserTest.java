package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A monitor of virtual machines that nobody here wrote gets devices by {@code vfio4j exec}, as a
 * user who may do nothing but run virtual machines. {@code lab/test --tests OrdinaryUser} runs it:
 * on a busy host a machine inside of an emulated one can stand still.
 */
@OnMachine(value = "intel/scalable", since = "7.0")
@Timeout(value = 6, unit = TimeUnit.MINUTES) // a machine inside of an emulated one
class OrdinaryUserTest {
  private static final Path KVM = Path.of("/dev/kvm");
  private static final long MINUTES = 5;

  @TempDir Path directory;

  @Test
  @Bound({Device.EDU, Device.EDU_2})
  void qemuPassesTheDevicesToAGuest() throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path initrd = Files.write(directory.resolve("initrd"), Cpio.of(program()));
    Path image = Files.copy(Path.of(environment("LAB_IMAGE")), directory.resolve("image"));
    Path home = Files.createDirectory(directory.resolve("qemu"));
    var permissions = Files.getPosixFilePermissions(KVM);
    run("mount", "--bind", environment("LAB_QEMU"), home.toString());
    try {
      Files.setPosixFilePermissions(KVM, PosixFilePermissions.fromString("rw-rw-rw-"));

      String said = run(command(home, image, initrd));

      assertThat(said)
          .contains(
              "level 2: edu 0000:00:05.0 says 0x010000ed, its DMA is right",
              "level 2: edu 0000:00:06.0 says 0x010000ed, its DMA is right",
              "level 2: done");
    } finally {
      Files.setPosixFilePermissions(KVM, permissions);
      run("umount", home.toString());
    }
  }

  private static String[] command(Path home, Path image, Path initrd) {
    List<String> command = new ArrayList<>(List.of("vfio4j", "exec"));
    command.addAll(
        List.of("--device", Machine.EDU.toString(), "--device", Machine.EDU_2.toString()));
    command.addAll(List.of("--user", "nobody", "--memlock", "unlimited", "--"));
    command.addAll(
        List.of(
            home + "/usr/lib64/ld-linux-x86-64.so.2",
            "--library-path",
            home + "/usr/lib/x86_64-linux-gnu",
            home + "/usr/bin/qemu-system-x86_64"));
    command.addAll(List.of("-L", home + "/usr/share/qemu", "-L", home + "/usr/share/seabios"));
    command.addAll(List.of("-accel", "kvm", "-cpu", "host", "-M", "q35", "-m", "128"));
    command.addAll(List.of("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"));
    command.addAll(List.of("-serial", "stdio", "-monitor", "none"));
    command.addAll(List.of("-kernel", image.toString(), "-initrd", initrd.toString()));
    command.addAll(List.of("-append", "console=ttyS0 quiet panic=-1 no_timer_check"));
    command.addAll(List.of("-object", "iommufd,id=iommu,fd={iommufd}"));
    command.addAll(List.of("-device", "vfio-pci,id=one,fd={cdev0},iommufd=iommu,addr=5"));
    command.addAll(List.of("-device", "vfio-pci,id=other,fd={cdev1},iommufd=iommu,addr=6"));
    return command.toArray(String[]::new);
  }

  private static String environment(String name) {
    return Objects.requireNonNull(System.getenv(name), name);
  }

  /** The program of the guest's, its process 1. */
  private byte[] program() throws IOException, InterruptedException {
    Path source = directory.resolve("level2.c");
    try (InputStream text = OrdinaryUserTest.class.getResourceAsStream("level2.c")) {
      Files.copy(Objects.requireNonNull(text), source);
    }
    Path program = directory.resolve("level2");
    run("gcc", "-static", "-O1", "-o", program.toString(), source.toString());
    return Files.readAllBytes(program);
  }

  /** Runs a command, which succeeds, and returns what it says. */
  private String run(String... command) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Process process =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectErrorStream(true).start();
    boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
    process.destroyForcibly().waitFor();
    String said = Files.readString(out);
    assertThat(ended).as("%s ends, having said %s", command[0], said).isTrue();
    assertThat(process.exitValue()).as("status of %s, which said %s", command[0], said).isZero();
    return said;
  }
}
