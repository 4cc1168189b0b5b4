package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The monitor without devices. */
@OnMachine(value = "intel/scalable", since = "7.0")
class VirtualMachineTest extends GuestTests {
  @Test
  void linuxFindsItsProcessorsMemoryAndBusAndTurnsItselfOff() throws Exception {
    String said = run(ordered("machine,off").processors(2), Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: 2 processors, between 96 and 128 MiB")
        .contains("guest: function 0000:00:00.0")
        .contains("c0000000-dfffffff : PCI Bus 0000:00")
        .contains("e0000000-e00fffff : PCI ECAM 0000 [bus 00-00]")
        .contains("4000000000-7fffffffff : PCI Bus 0000:00");
  }

  @Test
  void guestAsksForAReset() throws Exception {
    String said = run(ordered("machine,reset").endingOnReset(), Ending.RESET);

    assertThat(said).contains("guest: 1 processors");
  }

  @Test
  void resetBeginsAnew() throws Exception {
    try (VirtualMachine machine =
        VirtualMachine.boot(ordered("machine,echo,reset").processors(2))) {
      for (int boot = 1; boot <= 3; boot++) {
        while (said().split("guest: says", -1).length <= boot) {
          Thread.sleep(100);
        }
        machine.type("again\n".getBytes(UTF_8));
      }
      assertThat(said().split("guest: 2 processors, between", -1)).hasSize(4);
    }
  }

  @Test
  void guestHearsWhatIsTypedAndIsStoppedInItsSleep() throws Exception {
    try (VirtualMachine machine = VirtualMachine.boot(ordered("echo,sleep").processors(2))) {
      await("guest: says");
      machine.type("hello\n".getBytes(UTF_8));
      await("guest: heard hello");

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
