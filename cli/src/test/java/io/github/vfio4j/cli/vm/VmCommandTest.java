package io.github.vfio4j.cli.vm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command without KVM: all that is told before a machine is made, and how it ends. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class VmCommandTest {
  private static final String EDU = "0000:00:05.0";
  private static final String DISK = "0000:00:06.0";

  @TempDir Path root;
  @TempDir Path files;
  private final StringWriter err = new StringWriter();
  private final FakeMachine machine = new FakeMachine();
  private FakeHost host;
  private Path kernel;
  private Path kvm;
  private Path shown;
  private InputStream in = InputStream.nullInputStream();

  @BeforeEach
  void makeHost() throws IOException {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(EDU)
            .device(DISK)
            .driver(EDU, "vfio-pci")
            .driver(DISK, "nvme")
            .group(5, EDU)
            .group(6, DISK);
    kernel = Files.writeString(files.resolve("kernel"), "Linux");
    kvm = Files.createFile(files.resolve("kvm"));
    shown = Files.createFile(files.resolve("shown"));
  }

  private int run(String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("--kernel", kernel.toString()));
    words.addAll(Arrays.asList(arguments));
    try (FileOutputStream out = new FileOutputStream(shown.toFile())) {
      CommandHost commandHost =
          new CommandHost(
              host.sysfs(),
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
              new PrintWriter(new StringWriter()),
              new PrintWriter(new StringWriter()));
      MachineHost machineHost = new MachineHost(kvm, in, false, out, machine::boot);
      return new CommandLine(new VmCommand(commandHost, new PrintWriter(err), machineHost))
          .setErr(new PrintWriter(err))
          .setExecutionExceptionHandler(
              (failure, commandLine, _) -> {
                commandLine.getErr().println(failure.getMessage());
                for (Throwable other : failure.getSuppressed()) {
                  commandLine.getErr().println(other.getMessage());
                }
                return ExitStatus.of(failure);
              })
          .execute(words.toArray(String[]::new));
    }
  }

  /** Runs a command that comes to no machine, and returns what it complains of. */
  private String refusal(int status, String... arguments) throws IOException {
    assertThat(run(arguments)).as("%s", err).isEqualTo(status);
    assertThat(machine.setup()).isNull();
    return err.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--memory 31M | memory is 32 MiB at least, and whole pages, not 32505856 bytes",
        "--memory 33554433 | whole pages, not 33554433 bytes",
        "--memory 1T | is no amount of memory: write a number, with K, M or G",
        "--memory much | is no amount of memory",
        "--cpus 0 | there are 1 to 8 processors, not 0",
        "--cpus 9 | there are 1 to 8 processors, not 9",
        "--cpus two | is not an int",
        "--device 00:05 | 00:05",
        "--device 00:05.0,slto=3 | unknown setting 'slto' of 00:05.0; did you mean 'slot'?",
        "--device 00:05.0,rom=x | unknown setting 'rom' of 00:05.0: known are iommufd, slot, unmapped, bar0",
        "--device 00:05.0,bar6=0xd0000000 | unknown setting 'bar6' of 00:05.0; did you mean 'bar0'?",
        "--device 00:05.0,bar0=d0000000 | bar0=d0000000' of 00:05.0 has no address for a BAR, such as 0x",
        "--device 00:05.0,bar0=0x0 | bar0=0x0' of 00:05.0 has no address for a BAR",
        "--device 00:05.0,bar0=0x8000000000000000 | of 00:05.0 has no address for a BAR",
        "--device 00:05.0,bar2=0xd0000000,bar2=0xd1000000 | of 00:05.0 is given twice",
        "--device 00:05.0, | unknown setting '' of 00:05.0",
        "--device 00:05.0,slot | of 00:05.0 wants a value: slot=...",
        "--device 00:05.0,slot= | of 00:05.0 wants a value: slot=...",
        "--device 00:05.0,slot=1,slot=2 | of 00:05.0 is given twice",
        "--device 00:05.0,slot=0 | slots for devices are 1 to 31, and 00:05.0 cannot have 0",
        "--device 00:05.0,slot=32 | slots for devices are 1 to 31, and 00:05.0 cannot have 32",
        "--device 00:05.0,slot=x | slots for devices are 1 to 31, and 00:05.0 cannot have x",
        "--device 00:05.0,iommufd=yes | iommufd=yes of 00:05.0 is neither on nor off",
        "--device 00:05.0,unmapped=6 | BARs are 0 to 5, with + between them, and 'unmapped=6' has '6'",
        "--device 00:05.0,unmapped=0+ | with + between them, and 'unmapped=0+' has ''",
        "--device 00:05.0,unmapped=0-2 | and 'unmapped=0-2' has '0-2'",
        "--device fd=x | is no open file: write fd=NUMBER",
        "--device fd=12345 | fd=12345 is not open in this process",
        "--device fd=0,iommufd=off | fd=0 is a device's own node, which only an iommufd takes",
        "--iommufd-fd 12345 | fd=12345 is not open in this process",
        "--iommufd-fd -1 | fd=-1 is not open in this process",
        "--model floppy | there is no model 'floppy': there are edu, nvme",
        "--model edu,size=1M | unknown setting 'size' of edu: known are slot",
        "--model nvme,size=0 | a disk cannot have size=0: it has whole blocks of 512 bytes",
        "--model nvme,size=1000 | a disk cannot have size=1000",
        "--model nvme,size=2G | a disk cannot have size=2G: it has whole blocks of 512 bytes, and less",
        "--model nvme,size=big | a disk cannot have size=big",
        "--model edu,slot=40 | slots for devices are 1 to 31, and edu cannot have 40",
        "--device 00:05.0,slot=3 --model edu,slot=3 | slot 3 cannot have both 00:05.0 and edu",
        "--device 00:05.0 --device 0000:00:05.0 | 0000:00:05.0 is given twice",
        "--device fd=0 --device fd=0 | fd=0 is given twice"
      })
  void wrongUsageIsToldBeforeAnythingIsOpened(String line, String complaint) throws IOException {
    assertThat(refusal(2, line.split(" ", -1))).contains(complaint);
  }

  @Test
  void filesAreLookedForBeforeAnythingIsOpened() throws IOException {
    String initrd = files.resolve("initrd").toString();
    assertThat(refusal(1, "--initrd", initrd))
        .contains("read on " + initrd + ": there is no such file");
    kernel = files.resolve("other");
    assertThat(refusal(1)).contains("read on " + kernel + ": there is no such file");
    kernel = files;
    assertThat(refusal(1)).contains("read on " + files + ": it is a directory");
  }

  @Test
  void devicesThatAreMissingOrNotBoundAreToldBeforeAnythingIsOpened() throws IOException {
    assertThat(refusal(3, "--device", "00:1f.7", "--device", "00:06.0"))
        .contains("0000:00:1f.7: ENOENT")
        .contains(
            "open on %s: it is bound to nvme, not to a VFIO driver; vfio4j bind %s"
                .formatted(DISK, DISK));
    assertThat(refusal(6, "--device", EDU, "--device", DISK)).contains("vfio4j bind " + DISK);
  }

  @Test
  void nodeThatIsAskedForHasToBeThere() throws IOException {
    host.withoutCdev()
        .device("0000:00:07.0")
        .driver("0000:00:07.0", "vfio-pci")
        .group(7, "0000:00:07.0");

    assertThat(refusal(7, "--device", "00:07.0,iommufd=on"))
        .contains("open on 0000:00:07.0: this kernel has no node for it in /dev/vfio/devices")
        .contains("iommufd=off does without");

    machine.ending.complete(Ending.POWERED_OFF);
    assertThat(run("--device", "00:07.0")).isZero();
    assertThat(machine.setup()).contains("0000:00:07.0");
  }

  @Test
  void kvmHasToBeThere() throws IOException {
    kvm = files.resolve("none");
    assertThat(refusal(7, "--device", EDU, "--model", "edu"))
        .contains("open on " + kvm + ": this kernel or this processor has no virtualization");
  }

  @Test
  void machineHasWhatWasAskedFor() throws IOException {
    machine.ending.complete(Ending.POWERED_OFF);

    int status =
        run(
            "--device=" + EDU + ",unmapped=0+2,bar2=0x4000000000,bar0=0xD0000000",
            "--device=fd=0,slot=9,bar5=0xd1000000",
            "--model=nvme,size=1M",
            "--model=edu",
            "--model=edu,slot=1",
            "--memory=64M",
            "--cpus=3");

    assertThat(err.toString()).isEmpty();
    assertThat(status).isZero();
    assertThat(machine.setup())
        .isEqualTo(
            kernel
                + " on 3 processors and 64 MiB, devices"
                + " [fd=0, edu-2, 0000:00:05.0, nvme, edu]");
    assertThat(machine.isClosed()).isTrue();
  }

  @Test
  void resetHasAStatusOfItsOwn() throws IOException {
    machine.ending.complete(Ending.RESET);

    assertThat(run()).isEqualTo(8);

    assertThat(err.toString())
        .isEqualTo(
            "vfio4j: the guest has asked for a reset, or has failed: its machine ends here\n");
  }

  /** Runs the command while a test plays the guest. */
  private CompletableFuture<Integer> runAside(Thread[] runner) throws InterruptedException {
    CompletableFuture<Integer> status = new CompletableFuture<>();
    runner[0] =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    status.complete(run());
                  } catch (Throwable e) {
                    status.completeExceptionally(e);
                  }
                });
    while (machine.setup() == null) {
      Thread.sleep(10);
    }
    return status;
  }

  @Test
  void guestHearsWhatIsTypedAndGoesOnAfterItsEnd() throws Exception {
    in = new ByteArrayInputStream("echo \u0001x\n".getBytes(UTF_8));
    CompletableFuture<Integer> status = runAside(new Thread[1]);

    assertThat(machine.hear(8)).isEqualTo("echo \u0001x\n");
    assertThat(status).isNotDone();
    machine.console().write("\u001b[1m".getBytes(UTF_8));
    machine.console().write(0xff);
    machine.ending.complete(Ending.POWERED_OFF);

    assertThat(status.get()).isZero();
    assertThat(shown).hasBinaryContent(new byte[] {0x1b, '[', '1', 'm', -1});
  }

  @Test
  void signalStopsTheMachine() throws Exception {
    Thread[] runner = new Thread[1];
    CompletableFuture<Integer> status = runAside(runner);

    runner[0].interrupt();

    assertThat(status.get()).isEqualTo(1);
    assertThat(machine.ending).isCompletedWithValue(Ending.STOPPED);
    assertThat(machine.isClosed()).isTrue();
  }

  @Test
  void signalStopsAlsoAMachineWhoseConsoleNobodyReads() throws Exception {
    makePipe();
    try (RandomAccessFile _ = new RandomAccessFile(shown.toFile(), "rw")) {
      Thread[] runner = new Thread[1];
      CompletableFuture<Integer> status = runAside(runner);
      Thread processor = Thread.ofPlatform().start(() -> fill(machine));
      processor.join(200);
      assertThat(processor.isAlive()).isTrue();

      runner[0].interrupt();

      processor.join();
      assertThat(status.get()).isEqualTo(1);
      assertThat(err.toString()).isEmpty();
    }
  }

  private void makePipe() throws Exception {
    Files.delete(shown);
    Process made = new ProcessBuilder("mkfifo", shown.toString()).inheritIO().start();
    assertThat(made.waitFor()).isZero();
  }

  private static void fill(FakeMachine machine) {
    try {
      machine.console().write(new byte[1 << 20]);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void machineEndsWhenNobodyReadsItsConsoleAnyMore() throws Exception {
    makePipe();
    RandomAccessFile reader = new RandomAccessFile(shown.toFile(), "rw");
    CompletableFuture<Integer> status = runAside(new Thread[1]);
    reader.close();

    machine.console().write('x');

    assertThat(status.get()).isEqualTo(1);
    assertThat(err.toString()).isEqualTo("write on the guest's console: Broken pipe\n");
    assertThat(machine.isClosed()).isTrue();
  }
}
