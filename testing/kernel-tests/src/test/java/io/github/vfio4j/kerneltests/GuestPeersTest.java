package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Several devices in a guest of the monitor, and those that others than it may open. */
@OnMachine(value = "intel/scalable", since = "7.0")
@Bound({Device.EDU, Device.NVME})
class GuestPeersTest extends GuestTests {
  @EachBackend
  @Bound({Device.EDU_2, Device.IVSHMEM})
  void oneDeviceReachesAnother(Backend backend) throws Exception {
    MachineSetup setup =
        ordered("peer,off")
            .device(DeviceSetup.of(device(Machine.EDU_2), backend))
            .device(DeviceSetup.of(device(Machine.IVSHMEM), backend));

    String said = run(setup, Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: edu reads all of its peer")
        .contains("guest: edu writes all of its peer");
  }

  @Test
  @Bound({Device.IGB, Device.HOT_IGB})
  void networkCardsAndADiskWorkAtOnce() throws Exception {
    MachineSetup setup =
        ordered("machine,eth0,eth1,disk,off")
            .device(DeviceSetup.of(device(Machine.IGB), Backend.IOMMUFD))
            .device(DeviceSetup.of(device(Device.HOT_IGB.address()), Backend.CONTAINER))
            .device(DeviceSetup.of(device(Machine.NVME), Backend.IOMMUFD))
            .processors(2);

    String said = run(setup, Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: eth0 is up, answered, with some interrupts")
        .contains("guest: eth1 is up, answered, with some interrupts")
        .contains("guest: disk is written");
    assertThat(said.lines().filter(line -> line.contains("guest: function"))).hasSize(4);
  }

  @EachBackend
  @Bound(Device.IGB)
  void virtualFunctionIsGivenByItsToken(Backend backend) throws Exception {
    UUID token = UUID.fromString("3c1ba6e2-8d42-4a6c-93c3-1a0d3c8b1f06");
    try (VirtualFunction virtual = VirtualFunction.of(Machine.IGB);
        VfioDevice physical = VfioDevice.open(virtual.physical().withVfToken(token), backend)) {
      assertThat(physical.name()).isEqualTo(Machine.IGB.toString());
      MachineSetup machine = ordered("machine,off");
      DeviceSetup refused = DeviceSetup.of(virtual.device(), backend);
      assertThatThrownBy(() -> VirtualMachine.boot(machine.device(refused)))
          .isInstanceOf(NotPermittedException.class);

      DeviceSetup function = DeviceSetup.of(virtual.device().withVfToken(token), backend);
      String said = run(machine.device(function), Ending.POWERED_OFF);

      assertThat(said).contains("guest: function 0000:00:01.0");
    }
  }

  @Test
  void devicesAreHandedInAsDescriptorsAndWorkAfterReset() throws Exception {
    Path edu = Sysfs.host().device(Machine.EDU).cdev().orElseThrow().path();
    Path disk = Sysfs.host().device(Machine.NVME).cdev().orElseThrow().path();
    try (PassedFile iommufd = PassedFile.open(Path.of("/dev/iommu"));
        PassedFile first = PassedFile.open(edu);
        PassedFile second = PassedFile.open(disk)) {
      MachineSetup setup =
          ordered("edu,disk,echo,reset")
              .iommufd(iommufd.number())
              .device(DeviceSetup.passed("first", first.number()))
              .device(DeviceSetup.passed("second", second.number()));
      workTwice(setup);
    }
  }
}
