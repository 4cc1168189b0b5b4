package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Timeout;

/** A device that errs, is reset or has no power costs nobody the process. */
@OnMachine(
    value = {"intel/legacy", "smmuv3"},
    since = "7.0") // the IOMMU does not matter
@Bound(Device.HOT_IGB)
@Timeout(120)
class FailingDeviceTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int STATUS = 0x8;
  private static final int RESETS = 10;

  /** An igb of QEMU cannot report errors, but whoever is behind a port is told of the port's. */
  @EachBackend
  void errorThatThePortReportsArrives(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Device.HOT_IGB.address(), backend);
        Monitor monitor = Monitor.open();
        Interrupt error = device.pci().error().enable(0)) {
      assertThat(error.await(Duration.ZERO)).isZero();

      assertThat(monitor.run("pcie_aer_inject_error port3 COMP_TIME")).startsWith("OK");

      assertThat(error.await(PATIENCE)).isPositive();
      assertThat(device.region(0).readInt(STATUS)).isNotZero().isNotEqualTo(-1);
    }
  }

  @EachBackend
  void accessesWaitForTheEndOfAReset(Backend backend) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (var threads = Executors.newFixedThreadPool(2);
        VfioDevice device = VfioDevice.open(Device.HOT_IGB.address(), backend);
        MappedRegion registers = device.region(0).map()) {
      Region region = device.region(0);
      List<Future<Integer>> readings;
      try {
        readings =
            List.of(
                threads.submit(() -> untilDone(done, () -> registers.getInt(STATUS))),
                threads.submit(() -> untilDone(done, () -> region.readInt(STATUS))));
        for (int i = 0; i < RESETS; i++) {
          device.reset();
        }
      } finally {
        done.set(true);
      }
      for (Future<Integer> reading : readings) {
        assertThat(reading.get()).isPositive();
      }
    }
  }

  private static int untilDone(AtomicBoolean done, Callable<Integer> read) throws Exception {
    int readings = 0;
    while (!done.get()) {
      assertThat(read.call()).isNotEqualTo(-1);
      readings++;
    }
    return readings;
  }

  /**
   * The port switches the power of its slot off, of which neither the kernel nor the driver knows;
   * where Linux has a driver of the port, that one knows.
   */
  @EachBackend
  @OnMachine(value = "intel/legacy", since = "7.0")
  void deviceWithoutPowerReadsAsNothingAndComesBack(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Device.HOT_IGB.address(), backend);
        SlotPower power = SlotPower.open(); // which has power again before the device is closed
        MappedRegion registers = device.region(0).map();
        Interrupt vector = device.pci().msix().enable(0)) {
      int status = registers.getInt(STATUS);

      power.turn(false);

      assertThat(registers.getInt(STATUS)).isNotEqualTo(status);
      registers.setInt(STATUS, 0);
      assertThat(device.region(0).readInt(STATUS)).isNotEqualTo(status);
      device.region(0).writeInt(STATUS, 0);
      vector.trigger();
      assertThat(vector.await(PATIENCE)).isEqualTo(1);
    }
    try (VfioDevice device = VfioDevice.open(Device.HOT_IGB.address(), backend)) {
      assertThat(device.region(0).readInt(STATUS)).isNotZero().isNotEqualTo(-1);
    }
  }
}
