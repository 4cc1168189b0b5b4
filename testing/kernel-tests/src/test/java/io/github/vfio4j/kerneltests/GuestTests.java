package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnceMore;
import io.github.vfio4j.sysfs.Sysfs;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the monitor: it boots the lab's kernel, whose only program is guest.c. */
@OnceMore(
    because =
        "QEMU's emulated processors deliver an interrupt to a guest twice when they are called away"
            + " right after it (exception_index is left after VMRUN): the guest waits for ever for"
            + " a lock that it holds itself.")
@Timeout(value = 2, unit = TimeUnit.MINUTES) // a machine inside of an emulated one
abstract class GuestTests {
  static final Path KERNEL = Path.of(Objects.requireNonNull(System.getenv("LAB_IMAGE")));

  @TempDir static Path directory;

  static Path initrd;

  final ByteArrayOutputStream console = new ByteArrayOutputStream();

  @BeforeAll
  static void compileTheGuestsProgram() throws IOException, InterruptedException {
    Path source = directory.resolve("guest.c");
    Path program = directory.resolve("guest");
    try (InputStream text = GuestTests.class.getResourceAsStream("guest.c")) {
      Files.copy(Objects.requireNonNull(text), source);
    }
    Process gcc =
        new ProcessBuilder("gcc", "-static", "-O1", "-o", program.toString(), source.toString())
            .inheritIO()
            .start();
    assertThat(gcc.waitFor()).isZero();
    initrd = Files.write(directory.resolve("initrd"), Cpio.of(Files.readAllBytes(program)));
  }

  /** A machine whose program carries out orders, words of guest.c with commas between them. */
  MachineSetup ordered(String orders) {
    return MachineSetup.of(KERNEL)
        .initrd(initrd)
        .memory(128L << 20)
        .commandLine(commandLine(orders))
        .console(console);
  }

  /** What the kernel is told so that its program carries out orders. */
  static String commandLine(String orders) {
    return "console=ttyS0 loglevel=1 panic=-1 no_timer_check order=" + orders;
  }

  /** Returns what a machine has said until it ended as it is expected to. */
  String run(MachineSetup setup, Ending expected) throws VfioException, InterruptedException {
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      assertThat(machine.await()).as(said()).isEqualTo(expected);
      return said();
    } catch (InterruptedException e) {
      throw new InterruptedException("the guest has not ended; it said: " + said());
    }
  }

  /** Waits until the machine has said something. */
  void await(String text) throws InterruptedException {
    try {
      while (!said().contains(text)) {
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      throw new InterruptedException("no '" + text + "' is in what it said: " + said());
    }
  }

  String said() {
    return console.toString(UTF_8);
  }

  static HostDevice device(PciAddress address) throws VfioException {
    return Sysfs.host().device(address);
  }

  static void type(VirtualMachine machine, int number) throws VfioException {
    machine.type((number + "\n").getBytes(US_ASCII));
  }

  /** Runs the orders "edu,disk,echo,reset" twice, with a reset between. */
  void workTwice(MachineSetup setup) throws Exception {
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      await("guest: says");
      machine.type("again\n".getBytes(US_ASCII));
      await("guest: heard again");
      String first = said();
      while (said().lastIndexOf("guest: says") < first.length()) {
        Thread.sleep(100);
      }
      for (String boot : List.of(first, said().substring(first.length()))) {
        assertThat(boot)
            .contains("guest: edu's message 1, status 3")
            .contains("guest: edu copies all")
            .contains("guest: edu's line 1, status 3")
            .contains("guest: disk is written");
      }
    }
  }
}
