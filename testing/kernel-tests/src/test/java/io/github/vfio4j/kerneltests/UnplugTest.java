package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/**
 * A device that is open is taken out of the machine: the kernel asks for it, waits for whoever has
 * it, and lets it go when that is closed.
 */
@OnMachine({"intel/legacy", "smmuv3"}) // ACPI takes it out, or the port's own driver
@Timeout(120)
class UnplugTest {
  private static final PciAddress HOT = HotPort.ADDRESS;
  private static final Path SYSFS = Path.of("/sys/bus/pci");

  /** How long a port of PCI Express waits until it believes the button: five seconds. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int STATUS = 0x8;

  private final Sysfs sysfs = Sysfs.host();

  /** From which the device is being taken, if it is. */
  private @Nullable HotPort port;

  /** Other tests count the devices. */
  @AfterEach
  @Timeout(120) // that of the class is for tests alone
  void plugIn() throws IOException, InterruptedException {
    if (port != null) {
      try (HotPort from = port) {
        from.awaitGone();
        from.plugIn(HotPort.IGB);
      }
    }
    // brings back what was removed, and waits for whoever else is bringing in a device
    Files.writeString(SYSFS.resolve("rescan"), "1", StandardOpenOption.WRITE);
    assertThat(HotPort.isOccupied()).isTrue();
  }

  private void unplug() throws IOException, InterruptedException {
    HotPort from = HotPort.open();
    port = from;
    from.unplug();
  }

  private static Thread remove() {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                Files.writeString(
                    SYSFS.resolve("devices/" + HOT + "/remove"), "1", StandardOpenOption.WRITE);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  private PciDevice device() throws IOException {
    return sysfs.device(HOT);
  }

  /** The kernel has begun to take the device from its driver, and waits. */
  private void awaitRemoval() throws IOException, InterruptedException {
    while (device().hasVfioDriver()) {
      Thread.sleep(10);
    }
  }

  private void assertGone() throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (HotPort.isOccupied()) {
      assertThat(System.nanoTime()).as("it is there still").isLessThan(end);
      Thread.sleep(10);
    }
    assertThatThrownBy(() -> VfioDevice.open(HOT)).isInstanceOf(NoSuchDeviceException.class);
  }

  @EachBackend
  void ownerWhoIsAskedLetsGoOfWhatIsUnplugged(Backend backend) throws Exception {
    try (DriverBinding _ = DriverBinding.bind(sysfs, HOT);
        VfioDevice device = VfioDevice.open(HOT, backend);
        MappedRegion registers = device.region(0).map();
        Interrupt vector = device.pci().msix().enable(0);
        Interrupt request = device.pci().request().enable(0)) {
      int status = registers.getInt(STATUS);

      unplug();

      assertThat(request.await(PATIENCE)).isPositive();
      assertThat(registers.getInt(STATUS)).isEqualTo(status); // it is there until its owner lets go
      assertThat(device.region(0).readInt(STATUS)).isEqualTo(status);
      vector.trigger();
      assertThat(vector.await(PATIENCE)).isEqualTo(1);
      close(device);

      assertGone();
      assertThatIllegalStateException().isThrownBy(() -> registers.getInt(STATUS));
      assertThatIllegalStateException().isThrownBy(() -> device.region(0).readInt(STATUS));
      assertThatIllegalStateException().isThrownBy(request::trigger);
      assertThatIllegalStateException().isThrownBy(device::reset);
    }
  }

  @EachBackend
  void ownerWhoNeverListensHasTheDeviceUntilItIsClosed(Backend backend) throws Exception {
    try (DriverBinding _ = DriverBinding.bind(sysfs, HOT);
        VfioDevice device = VfioDevice.open(HOT, backend);
        MappedRegion registers = device.region(0).map()) {
      int status = registers.getInt(STATUS);
      unplug();
      awaitRemoval();

      assertThat(HotPort.isOccupied()).isTrue();
      assertThat(registers.getInt(STATUS)).isEqualTo(status);
      assertThatThrownBy(() -> VfioDevice.open(HOT, backend)).isInstanceOf(IOException.class);
      assertThatThrownBy(device::reset)
          .hasMessageContaining("VFIO_DEVICE_RESET on " + HOT + ": EAGAIN: the kernel is taking");
      assertThat(device.region(0).readInt(STATUS)).isEqualTo(status);
      close(device);

      assertGone();
    }
  }

  @EachBackend
  void handlerClosesWhatSomebodyRemoves(Backend backend) throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    try (DriverBinding _ = DriverBinding.bind(sysfs, HOT);
        EventDispatcher dispatcher = EventDispatcher.start();
        VfioDevice device = VfioDevice.open(HOT, backend)) {
      dispatcher.register(
          device.pci().request().enable(0),
          (request, count) -> {
            asked.countDown();
            close(device);
          });

      Thread removing = remove();

      assertThat(asked.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      removing.join();
      assertThat(device.isClosed()).isTrue();
      assertGone();
    }
  }

  private static void close(VfioDevice device) {
    try {
      device.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @EachBackend
  void removingWaitsForWhoNeverListens(Backend backend) throws Exception {
    try (DriverBinding _ = DriverBinding.bind(sysfs, HOT);
        VfioDevice device = VfioDevice.open(HOT, backend);
        MappedRegion registers = device.region(0).map()) {
      int status = registers.getInt(STATUS);
      Thread removing = remove();
      awaitRemoval();

      assertThat(registers.getInt(STATUS)).isEqualTo(status);
      assertThat(removing.isAlive()).isTrue();
      close(device);

      removing.join();
      assertGone();
    }
  }
}
