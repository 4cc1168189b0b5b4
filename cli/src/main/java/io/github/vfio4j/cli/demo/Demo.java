package io.github.vfio4j.cli.demo;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Version;
import io.github.vfio4j.cli.show.ListCommand;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.container.GroupDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.sysfs.PciDevice;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** The steps of {@code demo}, told as they are done. */
public final class Demo {

  private static final int COUNT = Edu.MEMORY_SIZE;

  private final CommandHost host;
  private final Narrator narrator;
  private final Random random = new Random();
  private boolean callsAreSetUp;

  Demo(CommandHost host) {
    this.host = host;
    this.narrator = new Narrator(host.out());
  }

  int run(PciDevice edu) throws VfioException {
    narrator.say("Real DMA through the kernel's two VFIO interfaces: " + Version.platform());
    narrator.say("");
    narrator.say("  VFIO is the part of Linux that lends whole devices to programs.");
    narrator.say(
        "  DMA is a device's own access to memory. An IOMMU translates its addresses, and");
    narrator.say("  stops what no program has allowed. A group is what it cannot tell apart.");
    narrator.heading("The devices of this machine, by IOMMU group");
    ListCommand.table(ListCommand.inOrder(host.sysfs().devices()), host.ids())
        .lines()
        .forEach(line -> narrator.say("  " + line));

    boolean both;
    try (BorrowedDevice borrowed = BorrowedDevice.take(host, narrator, edu)) {
      boolean cdev = runOn(Backend.IOMMUFD, edu.address());
      boolean legacy = runOn(Backend.CONTAINER, edu.address());
      both = cdev && legacy;
      borrowed.giveBack();
    }
    narrator.say("");
    narrator.say(
        both
            ? "Every byte matched, on both interfaces."
            : "Every byte matched where it ran; this kernel does not have both interfaces.");
    return both ? ExitStatus.DONE : ExitStatus.UNSUPPORTED;
  }

  /** Returns whether the kernel has the interface; where it has, everything worked. */
  private boolean runOn(Backend backend, PciAddress address) throws VfioException {
    narrator.heading("By " + backend + ": " + explained(backend));
    VfioDevice device;
    try {
      device = narrator.step(() -> VfioDevice.open(address, backend), this::opened);
    } catch (UnsupportedByKernelException e) {
      narrator.say("  left out: " + e.getMessage());
      return false;
    }
    try (device) {
      drive(device);
      narrator.step(device::close, "closed everything: nothing is mapped or pinned any more");
    }
    return true;
  }

  private static String explained(Backend backend) {
    return switch (backend) {
      case IOMMUFD ->
          "the newer interface, with a node (cdev) for each device, and address spaces from /dev/iommu";
      case CONTAINER ->
          "the older interface, with a node for each group, and one address space per container";
      case MODEL -> "a device that is written in Java";
    };
  }

  private String opened(VfioDevice device) {
    String setUp = callsAreSetUp ? "" : " (and set up Java's calls into the C library)";
    callsAreSetUp = true;
    return switch (device) {
      case CdevDevice cdev ->
          "opened the device by its own node, with IO address space %d of a new iommufd%s"
              .formatted(cdev.addressSpace().id(), setUp);
      case GroupDevice member ->
          "opened the device through its group %d, with a new container%s"
              .formatted(member.group().number(), setUp);
      default -> "opened the device by " + device.choice().backend() + setUp;
    };
  }

  private void drive(VfioDevice device) throws VfioException {
    try (Edu edu =
            narrator.step(
                () -> Edu.start(device),
                driver ->
                    "mapped its registers, and took its interrupt as an eventfd, which a thread can wait for; it says it is 0x%08x"
                        .formatted(driver.identification()));
        DmaBuffer buffer =
            narrator.step(
                () -> device.addressSpace().allocate(2L * COUNT),
                memory ->
                    "mapped %s of memory for DMA: the device sees it at 0x%x"
                        .formatted(Size.of(memory.size()), memory.iova()))) {
      byte[] bytes = new byte[COUNT]; // others than the last time, which the device still has
      random.nextBytes(bytes);
      MemorySegment.copy(bytes, 0, buffer.segment(), JAVA_BYTE, 0, COUNT);
      narrator.step(
          () -> edu.copyToDevice(buffer, 0, 0, COUNT),
          "the device read %d random bytes from it, and raised its interrupt".formatted(COUNT));
      narrator.step(
          () -> edu.copyFromDevice(0, buffer, COUNT, COUNT),
          "the device wrote them back next to it, and raised its interrupt");
      narrator.step(
          () -> requireEqual(device, bytes, buffer.segment().asSlice(COUNT, COUNT)),
          "compared them: all %d are equal".formatted(COUNT));
    }
  }

  /** Fails if what came back by DMA is not what was sent. */
  static void requireEqual(VfioDevice device, byte[] sent, MemorySegment received)
      throws VfioException {
    long mismatch = MemorySegment.ofArray(sent).mismatch(received);
    if (mismatch >= 0) {
      throw new VfioException(
          "DMA", device.name(), null, "byte %d came back changed".formatted(mismatch));
    }
  }
}
