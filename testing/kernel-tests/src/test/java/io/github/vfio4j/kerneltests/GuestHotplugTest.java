package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Devices and memory that come and go while a guest of the monitor runs. */
@OnMachine(value = "intel/scalable", since = "7.0")
@Bound({Device.EDU, Device.NVME})
class GuestHotplugTest extends GuestTests {
  private static final Duration SOON = Duration.ofSeconds(60);

  @EachBackend
  void devicesComeAndGoAndComeAgain(Backend backend) throws Exception {
    // Linux moves what comes by hot plug; the fixed addresses are free again when it has gone
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend).fixedBar(0, 0xda00_0000L);
    DeviceSetup disk = DeviceSetup.of(device(Machine.NVME), backend).fixedBar(0, 0x7f_8000_0000L);
    String orders = "functions,edu,disk,functions,functions,edu,off";
    try (VirtualMachine machine = VirtualMachine.boot(ordered(orders).processors(2))) {
      await("guest: waits for functions");
      machine.plug(edu);
      machine.plug(disk);
      assertThatThrownBy(() -> machine.plug(edu)).hasMessageContaining("a device of this name");
      type(machine, 3);
      await("guest: disk is written");
      assertThat(said())
          .contains("guest: has 3 functions")
          .contains("guest: edu's message 1, status 3")
          .contains("guest: edu's line 1, status 3");

      type(machine, 1);
      machine.unplug(edu.name(), SOON);
      machine.unplug(disk.name(), SOON);
      await("guest: has 1 functions");
      VfioDevice.open(Machine.EDU, backend).close(); // the machine has closed it
      assertThatThrownBy(() -> machine.unplug(edu.name(), SOON))
          .hasMessageContaining("no device of this name");

      machine.plug(edu);
      type(machine, 2);
      assertThat(machine.await()).as(said()).isEqualTo(Ending.POWERED_OFF);
      assertThat(said().split("guest: edu copies all", -1)).hasSize(3);
      assertThatThrownBy(() -> machine.plug(disk)).hasMessageContaining("the machine has ended");
    }
  }

  @EachBackend
  void devicesReachMemoryThatComesAndNoneThatHasGone(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);
    DeviceSetup disk = DeviceSetup.of(device(Machine.NVME), backend);
    MachineSetup setup = ordered("memory,high,memory,disk,off").device(edu).device(disk);
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      await("guest: waits for MiB");
      long address = machine.addMemory(128L << 20);
      assertThat(address).isEqualTo(1L << 32);
      type(machine, 256);
      await("guest: disk wrote and read memory above 4 GiB");

      type(machine, 128);
      machine.removeMemory(address, SOON);
      assertThat(machine.await()).as(said()).isEqualTo(Ending.POWERED_OFF);
      assertThat(said()).contains("guest: has 256 MiB").contains("guest: disk is written");
    }
  }

  @EachBackend
  void hostTakesADeviceBackFromARunningGuest(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);
    MachineSetup setup = ordered("functions,functions,off").device(edu);
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      await("guest: waits for functions");
      type(machine, 2);
      await("guest: has 2 functions");

      Path driver = Path.of("/sys/bus/pci/drivers/vfio-pci");
      Files.writeString(driver.resolve("unbind"), Machine.EDU.toString()); // waits for us

      assertThat(machine.devices()).isEmpty();
      type(machine, 1);
      assertThat(machine.await()).as(said()).isEqualTo(Ending.POWERED_OFF);
      assertThat(said()).contains("guest: has 1 functions");
      Files.writeString(driver.resolve("bind"), Machine.EDU.toString());
    }
  }
}
