package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command, as a user runs it. Each test has one machine: a JVM is slow to start. */
class CommandLineTest {

  @TempDir Path directory;

  private record Ended(int status, String out, String err) {}

  private Ended run(String... command) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new Ended(process.waitFor(), Files.readString(out), Files.readString(err));
  }

  private static String driverOf(PciAddress address) throws IOException {
    return Sysfs.host().device(address).driver().orElse("none");
  }

  @Test
  @OnMachine("intel/first-stage")
  void bindsShowsAndGivesBack() throws IOException, InterruptedException {
    String device = Machine.RNG.toString();
    String driver = driverOf(Machine.RNG);

    Ended bound = run("vfio4j", "bind", device);
    assertThat(bound.err()).isEmpty();
    assertThat(bound.out()).startsWith(device + "  " + driver + " -> vfio-pci");
    assertThat(driverOf(Machine.RNG)).isEqualTo("vfio-pci");

    try {
      showsWhatIsInside(run("vfio4j", "show", device));
    } finally {
      Ended unbound = run("vfio4j", "unbind", device);
      assertThat(unbound.err()).isEmpty();
      assertThat(unbound.out()).isEqualTo(device + "  vfio-pci -> " + driver + "\n");
      assertThat(driverOf(Machine.RNG)).isEqualTo(driver);
    }
  }

  private static void showsWhatIsInside(Ended shown) {
    assertThat(shown.status()).isZero();
    assertThat(shown.out())
        .contains(Machine.hasCdev() ? "Opened by cdev+iommufd" : "Opened by container/group")
        .containsPattern("(?m)^  BAR 4 .* read write map")
        .containsPattern("(?m)^  config +256 B  read write$")
        .containsPattern("(?m)^  MSI-X +2  ")
        .containsPattern("(?m)^  MSI-X +0x\\p{XDigit}+ +2 vectors, off, table in BAR 1 at 0x0$")
        .containsPattern("(?m)^  0x0-0xfedfffff ");
  }

  @Test
  @OnMachine("intel/first-stage")
  @Bound(Device.IVSHMEM)
  void leavesABusyDeviceBound() throws IOException, InterruptedException {
    try (VfioDevice _ = VfioDevice.open(Machine.IVSHMEM)) {
      Ended ended = run("vfio4j", "unbind", Machine.IVSHMEM.toString());

      assertThat(ended.status()).isEqualTo(5);
      assertThat(ended.err())
          .contains("process " + ProcessHandle.current().pid() + " ", "has it open");
      assertThat(driverOf(Machine.IVSHMEM)).isEqualTo("vfio-pci");
    }
  }

  @Test
  @OnMachine("intel/first-stage")
  @Bound(Device.IVSHMEM)
  void tellsWhatTheKernelIsAsked() throws IOException, InterruptedException {
    Ended ended = run("vfio4j", "show", "--calls", Machine.IVSHMEM.toString(), "0000:00:1f.7");

    assertThat(ended.status()).isEqualTo(3);
    assertThat(ended.out()).startsWith(Machine.IVSHMEM + "  ").contains("Opened by ");
    assertThat(ended.err())
        .containsPattern("(?m)^open /dev/(iommu|vfio/vfio) = \\d+  \\d+\\.\\d us$")
        .containsPattern("(?m)^VFIO_DEVICE_GET_INFO \\S+ \\{flags 0, .*} -> \\{.*} = 0  ")
        .containsPattern("(?m)^vfio4j: .*0000:00:1f\\.7: ENOENT");
  }

  @Test
  @OnMachine("intel/first-stage")
  void tellsAUserWhatRootMustDo() throws IOException, InterruptedException {
    String copy = copyThatEverybodyMayRead().toString();
    Ended ended = runAsNobody(copy, "bind", "0000:00:05.0");

    assertThat(ended.status()).isEqualTo(4);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err()).startsWith("vfio4j: ").contains("0000:00:05.0: EACCES").hasLineCount(1);
    assertThat(driverOf(Machine.EDU)).isEqualTo("none");

    Ended shown = runAsNobody(copy, "show", "0000:00:05.0");
    assertThat(shown.status()).isZero();
    assertThat(shown.out())
        .containsPattern("(?m)^  BAR 0 +0x\\p{XDigit}+ +1 MiB  memory, 32 bits$")
        .contains("Configuration space: ")
        .contains("only root sees more than the header");

    Ended booted = runAsNobody(copy, "vm", "--kernel", "/proc/version");
    assertThat(booted.status()).isEqualTo(4);
    assertThat(booted.err()).contains("/dev/kvm: this user may not run virtual machines");
  }

  private Ended runAsNobody(String... command) throws IOException, InterruptedException {
    List<String> asNobody = new ArrayList<>();
    asNobody.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    asNobody.addAll(List.of(command));
    return run(asNobody.toArray(String[]::new));
  }

  /** The project may lie in a home that only its owner may enter. */
  private Path copyThatEverybodyMayRead() throws IOException, InterruptedException {
    Ended copied =
        run(
            "bash",
            "-ec",
            """
            project=$(dirname "$(dirname "$(command -v vfio4j)")")
            mkdir -p "$0/cli/target"
            cp -r "$project/bin" "$0"
            cp -r "$project/cli/target/lib" "$project/cli/target/vfio4j-cli.jar" "$0/cli/target"
            chmod -R a+rX "$0"
            """,
            directory.toString());
    assertThat(copied.err()).isEmpty();
    return directory.resolve("bin/vfio4j");
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES) // two JVMs on an emulated processor
  @OnMachine("intel/legacy")
  void demonstratesEveryInterfaceOfTheKernel() throws IOException, InterruptedException {
    Ended ended = run("vfio4j", "demo");

    assertThat(ended.err()).isEmpty();
    assertThat(ended.status()).isEqualTo(Machine.hasCdev() ? 0 : 7);
    assertThat(ended.out().lines().filter(line -> line.endsWith("all 4096 are equal")))
        .hasSize(Machine.hasCdev() ? 2 : 1);
    assertThat(driverOf(Machine.EDU)).isEqualTo("none");
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  @OnMachine("smmuv3")
  void demonstratesNestedPageTables() throws IOException, InterruptedException {
    Ended ended = run("vfio4j", "demo", "--nested");

    assertThat(ended.err()).isEmpty();
    assertThat(ended.status()).isZero();
    assertThat(ended.out())
        .contains("the guest heard of it: F_TRANSLATION of stream 0x10: read at 0x6666000")
        .endsWith("Every byte matched, through both page tables.\n");
    assertThat(driverOf(Machine.EDU)).isEqualTo("none");
  }

  @Test
  @OnMachine(value = "intel/scalable", since = "6.13")
  @Bound(Device.IVSHMEM)
  void tellsWhatTheIommuCanDo() throws IOException, InterruptedException {
    Ended ended = run("vfio4j", "iommu");

    assertThat(ended.err()).isEmpty();
    assertThat(ended.status()).isZero();
    assertThat(ended.out())
        .startsWith(Machine.IVSHMEM + "  ")
        .containsPattern("(?m)^  IOMMU +Intel VT-d$")
        .containsPattern("(?m)^    scalable mode +yes$")
        .containsPattern("(?m)^  plain +yes$")
        .containsPattern("(?m)^  parent of nesting +no: EOPNOTSUPP: ")
        .containsPattern("(?m)^  0x0-0xfedfffff ");
  }

  @Test
  @OnMachine("intel/first-stage")
  @Bound(Device.IVSHMEM)
  void foretellsOpening() throws IOException, InterruptedException {
    Ended ready = run("vfio4j", "doctor", Machine.IVSHMEM.toString());
    assertThat(ready.status()).as(ready.out()).isZero();
    try (VfioDevice opened = VfioDevice.open(Machine.IVSHMEM)) {
      assertThat(ready.out()).endsWith("can be opened, by " + opened.choice().backend() + ".\n");
      Ended busy = run("vfio4j", "doctor", Machine.IVSHMEM.toString());
      assertThat(busy.status()).as(busy.out()).isEqualTo(1);
    }
  }

  @Test
  @OnMachine("intel/first-stage")
  @Bound({Device.NVME, Device.NVME_2})
  void resetsASlotThatNobodyUses() throws IOException, InterruptedException {
    String[] command = {"vfio4j", "reset", "--hot", Machine.NVME.toString()};
    Ended reset = run(command);
    assertThat(reset.err()).isEmpty();
    assertThat(reset.out().lines())
        .containsExactly(
            Machine.NVME + "  reset with its slot or bus",
            Machine.NVME_2 + "  reset with its slot or bus");
    try (VfioDevice _ = VfioDevice.open(Machine.NVME_2)) {
      Ended refused = run(command);
      assertThat(refused.status()).isEqualTo(4);
      assertThat(refused.err())
          .contains(Machine.NVME_2 + " of the same group is open already: process ")
          .hasLineCount(1);
    }
  }

  @Test
  @OnMachine("intel/first-stage")
  @Bound(Device.IGB)
  void makesAndEndsVirtualFunctions() throws IOException, InterruptedException {
    String igb = Machine.IGB.toString();
    Ended made = run("vfio4j", "vf", "--create", "1", igb);
    assertThat(made.err()).isEmpty();
    assertThat(made.out())
        .startsWith(igb + " has 1 of 8 virtual functions")
        .containsPattern("0000:01:10.0 +vfio-pci");

    Ended unbound = run("vfio4j", "unbind", igb);
    assertThat(unbound.out()).contains(", ended its virtual functions 0000:01:10.0");
    assertThat(run("vfio4j", "bind", igb).status()).isZero();
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES) // three JVMs on an emulated processor
  @OnMachine(value = "intel/legacy", since = "6.12")
  @Bound({Device.NVME, Device.NVME_2})
  void writesAndReadsADisk() throws IOException, InterruptedException {
    String disk = Machine.NVME.toString();
    Path written = directory.resolve("written");
    byte[] content = new byte[3 << 20];
    new Random(5).nextBytes(content);
    Files.write(written, content);
    Path read = directory.resolve("read");

    Ended writing =
        run("vfio4j", "nvme", "write", "--yes", "--namespace=2", disk, written.toString());
    assertThat(writing.err()).isEmpty();
    assertThat(writing.out()).startsWith(disk + "  written 3 MiB in ");
    Ended reading =
        run("vfio4j", "nvme", "read", "--namespace=2", "--count=768", disk, read.toString());
    assertThat(reading.err()).isEmpty();
    assertThat(read).hasBinaryContent(content);

    assertThat(run("vfio4j", "nvme", "list").out())
        .containsPattern(disk + " +vfio-pci +1 +64 MiB +512 B")
        .containsPattern(disk + " +vfio-pci +2 +64 MiB +4 KiB")
        .containsPattern(Machine.NVME_2 + " +vfio-pci");
    assertThat(run("vfio4j", "nvme", "bench", "--seconds=2", "--depth=4", disk).out())
        .containsPattern(disk + " +[1-9][0-9]* commands in [0-9.]+ s")
        .contains("random reads of 4 KiB, 4 at once");
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES) // five JVMs on an emulated processor
  @OnMachine(value = "intel/legacy", since = "6.12")
  void savesADeviceToAFileAndRestoresAnotherOne() throws IOException, InterruptedException {
    String first = SerialPort.NAME.toString();
    String second = SerialPort.OTHER.toString();
    String file = directory.resolve("state").toString();
    MediatedDevice source = SerialPort.create();
    Ended created = run("vfio4j", "mdev", "create", "mtty", "mtty-1", second);
    assertThat(created.err()).isEmpty();
    assertThat(created.out()).startsWith(second + "  mtty-1 of mtty, /dev/vfio/devices/vfio");
    try {
      try (VfioDevice device = VfioDevice.open(source)) {
        SerialPort.fill(device, 0x5a, "not read");
      }

      Path full = fullDisk();
      Ended failed = run("vfio4j", "migrate", "save", first, full.resolve("state").toString());
      assertThat(failed.status()).as(failed.err()).isEqualTo(1);
      assertThat(failed.err())
          .startsWith("vfio4j: save on " + first + ": No space left on device")
          .hasLineCount(1);
      try (var files = Files.list(full)) {
        assertThat(files).containsExactly(full.resolve("ballast"));
      }

      Ended saved = run("vfio4j", "migrate", "save", first, file);
      assertThat(saved.err()).isEmpty();
      assertThat(saved.out())
          .matches(first + "  saved \\d+ B in \\d+\\.\\d s \\(.*/s\\), " + file + "\n");
      Ended restored = run("vfio4j", "migrate", "restore", second, file);
      assertThat(restored.err()).isEmpty();

      for (String name : List.of(first, second)) {
        try (VfioDevice device = VfioDevice.open(Sysfs.host().device(name))) {
          assertThat(SerialPort.content(device)).as(name).isEqualTo("5a 08 not read");
        }
      }
      Files.write(Path.of(file), new byte[9]);
      Ended refused = run("vfio4j", "migrate", "restore", second, file);
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.err())
          .startsWith("vfio4j: restore on " + second + ": EINVAL: ")
          .contains("it was reset, and is in RUNNING")
          .hasLineCount(1);
    } finally {
      run("umount", directory.resolve("full").toString());
      Sysfs.host().remove(source);
      Ended removed = run("vfio4j", "mdev", "remove", second);
      assertThat(removed.err()).isEmpty();
    }
    assertThat(Sysfs.host().mediatedDevices()).isEmpty();
  }

  private Path fullDisk() throws IOException, InterruptedException {
    Path full = Files.createDirectory(directory.resolve("full"));
    assertThat(run("mount", "-t", "tmpfs", "-o", "size=8k", "full", full.toString()).err())
        .isEmpty();
    Files.write(full.resolve("ballast"), new byte[2 * 4096]);
    return full;
  }

  @Test
  @OnMachine("bare")
  void seesThatThereIsNoIommu() throws IOException, InterruptedException {
    Ended ended = run("vfio4j", "doctor");

    assertThat(ended.out()).containsPattern("(?m)^(warning|FAILED) +IOMMU +no");
    assertThat(ended.out()).doesNotContainPattern("(?m)^ok +IOMMU");
    assertThat(ended.status()).isEqualTo(1);
  }
}
