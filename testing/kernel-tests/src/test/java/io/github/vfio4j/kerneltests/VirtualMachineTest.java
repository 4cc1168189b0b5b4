package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our own monitor boots the lab's kernel, inside of the lab's machine; {@code lab/test --tests
 * VirtualMachine} runs it, see {@link OrdinaryUserTest}.
 */
@OnMachine(value = "intel/scalable", since = "7.0")
@Timeout(value = 4, unit = TimeUnit.MINUTES) // a machine inside of an emulated one
class VirtualMachineTest {
  private static final Path KERNEL = Path.of(Objects.requireNonNull(System.getenv("LAB_IMAGE")));

  @TempDir private static Path directory;

  private static Path initrd;

  @BeforeAll
  static void compileTheGuestsProgram() throws IOException, InterruptedException {
    Path source = directory.resolve("guest.c");
    Path program = directory.resolve("guest");
    try (InputStream text = VirtualMachineTest.class.getResourceAsStream("guest.c")) {
      Files.copy(Objects.requireNonNull(text), source);
    }
    Process gcc =
        new ProcessBuilder("gcc", "-static", "-O1", "-o", program.toString(), source.toString())
            .inheritIO()
            .start();
    assertThat(gcc.waitFor()).isZero();
    initrd = Files.write(directory.resolve("initrd"), Cpio.of(Files.readAllBytes(program)));
  }

  private static MachineSetup setup(String order, ByteArrayOutputStream console) {
    return MachineSetup.of(KERNEL)
        .initrd(initrd)
        .memory(128L << 20)
        .commandLine("console=ttyS0 loglevel=1 panic=-1 no_timer_check order=" + order)
        .console(console);
  }

  private static String run(MachineSetup setup, ByteArrayOutputStream console, Ending expected)
      throws VfioException, InterruptedException {
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      Ending ending = machine.await();
      String said = console.toString(UTF_8);
      assertThat(ending).as(said).isEqualTo(expected);
      return said;
    }
  }

  @Test
  void linuxFindsItsProcessorsMemoryAndBusAndTurnsItselfOff() throws Exception {
    ByteArrayOutputStream console = new ByteArrayOutputStream();

    String said = run(setup("off", console).processors(2), console, Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: 2 processors, between 96 and 128 MiB")
        .contains("guest: function 0000:00:00.0")
        .contains("c0000000-dfffffff : PCI Bus 0000:00")
        .contains("e0000000-e00fffff : PCI ECAM 0000 [bus 00-00]")
        .contains("4000000000-7fffffffff : PCI Bus 0000:00");
  }

  @Test
  void guestAsksForAReset() throws Exception {
    ByteArrayOutputStream console = new ByteArrayOutputStream();

    String said = run(setup("reset", console), console, Ending.RESET);

    assertThat(said).contains("guest: 1 processors");
  }

  @Test
  void guestHearsWhatIsTypedAndIsStoppedInItsSleep() throws Exception {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    try (VirtualMachine machine = VirtualMachine.boot(setup("echo", console).processors(2))) {
      while (!console.toString(UTF_8).contains("guest: says")) {
        Thread.sleep(100);
      }
      machine.type("hello\n".getBytes(UTF_8));
      while (!console.toString(UTF_8).contains("guest: heard hello")) {
        Thread.sleep(100);
      }

      machine.stop();

      assertThat(machine.await()).isEqualTo(Ending.STOPPED);
    }
  }

  @Test
  void whatIsNoKernelOrHasNoRoomIsRefused() {
    MachineSetup setup = MachineSetup.of(KERNEL);
    assertThatThrownBy(() -> VirtualMachine.boot(MachineSetup.of(Path.of("/proc/version"))))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("it is not a kernel for x86 (a bzImage, or a vmlinux)");
    assertThatThrownBy(() -> VirtualMachine.boot(MachineSetup.of(Path.of("/nowhere"))))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("/nowhere");
    assertThatThrownBy(() -> VirtualMachine.boot(setup.initrd(KERNEL).memory(32 << 20)))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the guest has 0x2000000");
    assertThatThrownBy(() -> VirtualMachine.boot(setup.commandLine("x".repeat(4000))))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("its command line may have 2047 bytes, not 4000");
  }
}
