package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.model.nvme.NvmeModel;
import io.github.vfio4j.nvme.NamespaceChannel;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Devices of the lab's machine, and models of them, in a guest of the monitor. */
@OnMachine(value = "intel/scalable", since = "7.0")
@Bound({Device.EDU, Device.NVME})
class GuestDeviceTest extends GuestTests {
  private static final int BLOCK = 4096;
  private static final Path HUGE_PAGES = Path.of("/proc/sys/vm/nr_hugepages");

  @EachBackend
  void eduComputesInterruptsAndCopies(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);

    String said = run(ordered("edu,off").device(edu), Ending.POWERED_OFF);

    assertThat(said).contains("guest: edu computes 3628800").contains("guest: edu copies all");
    for (int i = 1; i <= 3; i++) {
      assertThat(said)
          .contains("guest: edu's message 1, status " + i)
          .contains("guest: edu's line 1, status " + i);
    }
  }

  @Test
  void eduWhoseMemoryIsNotMappedDoesTheSame() throws Exception {
    DeviceSetup edu =
        DeviceSetup.of(device(Machine.EDU)).unmapped(Set.of(0)).slot(7).memoryNodes(2);

    String said = run(ordered("machine,edu,off").device(edu), Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: function 0000:00:07.0")
        .contains("guest: nodes of devices 1-2")
        .contains("guest: edu computes 3628800")
        .contains("guest: edu's message 1, status 3")
        .contains("guest: edu copies all");
  }

  @Test
  void linuxReadsAndWritesTheModelOfADisk() throws Exception {
    try (ModelHost host = ModelHost.of(new NvmeModel(16384, 512))) {
      DeviceSetup disk = DeviceSetup.opened("disk", host::open);

      String said = run(ordered("disk,off").processors(2).device(disk), Ending.POWERED_OFF);

      assertThat(said).contains("guest: disk says \r\n", "guest: disk is written");
      assertThat(host.dmaFaults()).isEmpty();
    }
  }

  @Test
  void modelDoesTheSame() throws Exception {
    try (ModelHost host = ModelHost.of(new EduModel())) {
      DeviceSetup edu = DeviceSetup.opened("edu", host::open);

      String said = run(ordered("edu,off").device(edu), Ending.POWERED_OFF);

      assertThat(said)
          .contains("guest: edu computes 3628800")
          .contains("guest: edu's message 1, status 3")
          .contains("guest: edu copies all")
          .contains("guest: edu has no line");
      assertThat(host.dmaFaults()).isEmpty();
    }
  }

  @EachBackend
  void memoryIsOnHugePagesWhereThereAre(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);
    Files.writeString(HUGE_PAGES, "64");
    try (VirtualMachine machine = VirtualMachine.boot(ordered("edu,echo").device(edu))) {
      assertThat(Files.readAllLines(Path.of("/proc/meminfo")))
          .anyMatch(line -> line.matches("HugePages_Total: +64"))
          .anyMatch(line -> line.matches("HugePages_Free: +0"));
      await("guest: says");
      assertThat(said()).contains("guest: edu copies all");
      machine.stop();
    } finally {
      Files.writeString(HUGE_PAGES, "0");
    }
  }

  @EachBackend
  void linuxReadsAndWritesTheDisk(Backend backend) throws Exception {
    byte[] written = Arrays.copyOf(("hello by " + backend).getBytes(US_ASCII), BLOCK);
    access(backend, 0, written, true);

    DeviceSetup disk = DeviceSetup.of(device(Machine.NVME), backend);
    String said = run(ordered("disk,off").device(disk).processors(2), Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: disk says hello by " + backend)
        .contains("guest: disk is written");
    byte[] read = new byte[BLOCK];
    access(backend, BLOCK, read, false);
    for (int i = 0; i < BLOCK; i++) {
      assertThat(read[i]).isEqualTo((byte) ~written[i]);
    }
  }

  @EachBackend
  void devicesWorkAgainAfterReset(Backend backend) throws Exception {
    MachineSetup setup =
        ordered("edu,disk,echo,reset")
            .device(DeviceSetup.of(device(Machine.EDU), backend))
            .device(DeviceSetup.of(device(Machine.NVME), backend))
            .processors(2);
    workTwice(setup);
  }

  @EachBackend
  void devicesAreAtFixedAddressesAlsoAfterReset(Backend backend) throws Exception {
    MachineSetup setup =
        ordered("bars,edu,disk,echo,reset")
            .device(DeviceSetup.of(device(Machine.EDU), backend).fixedBar(0, 0xda00_0000L))
            .device(DeviceSetup.of(device(Machine.NVME), backend).fixedBar(0, 0x7f_8000_0000L))
            .processors(2);

    workTwice(setup);

    String edu = "guest: 0000:00:01.0 has memory by 32 bits at 0xda000000, BAR 0";
    String disk = "guest: 0000:00:02.0 has memory by 64 bits at 0x7f80000000, BAR 0";
    assertThat(said().split(edu, -1)).as(said()).hasSize(3);
    assertThat(said().split(disk, -1)).as(said()).hasSize(3);
  }

  @EachBackend
  void fixedAddressesThatCannotBeAreRefused(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend).slot(3);
    DeviceSetup disk = DeviceSetup.of(device(Machine.NVME), backend);
    MachineSetup machine = ordered("off");
    assertRefused(machine.device(edu.fixedBar(1, 0xd000_0000L)), "it has no such BAR: it has [0]");
    assertRefused(machine.device(edu.fixedBar(0, 0xd000_1000L)), "no multiple of its size");
    assertRefused(machine.device(edu.fixedBar(0, 1L << 38)), "its register has 32 bits");
    assertRefused(machine.device(disk.fixedBar(0, 0x100_0000)), "the guest has memory of devices");
    assertRefused(machine.device(disk.fixedBar(1, 1L << 38)), "it has no such BAR");
    assertRefused(
        machine.device(edu.fixedBar(0, 0xd000_0000L)).device(disk.fixedBar(0, 0xd000_4000L)),
        "another fixed BAR");

    String said = run(ordered("edu,off").device(edu.fixedBar(0, 0xd000_0000L)), Ending.POWERED_OFF);

    assertThat(said).contains("guest: edu computes 3628800");
  }

  private static void assertRefused(MachineSetup setup, String why) {
    assertThatThrownBy(() -> VirtualMachine.boot(setup))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining(why);
  }

  @Test
  void guestMovesTheMemoryOfADevice() throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU));

    String said = run(ordered("move,off").device(edu), Ending.POWERED_OFF);

    assertThat(said)
        .contains("guest: edu computes 120 in place 0, and ffffffff is before")
        .contains("guest: edu computes 720 in place 1, and ffffffff is before")
        .contains("guest: edu computes 5040 in place 2, and ffffffff is before");
  }

  private static void access(Backend backend, long at, byte[] bytes, boolean write)
      throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        NamespaceChannel channel = controller.open(controller.namespaces().getFirst())) {
      channel.position(at);
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        int done = write ? channel.write(buffer) : channel.read(buffer);
        assertThat(done).isPositive();
      }
      channel.force();
    }
  }
}
