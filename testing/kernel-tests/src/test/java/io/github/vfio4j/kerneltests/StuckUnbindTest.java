package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.lab.OpenHandles;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel unbinds a device when nobody has it open any more, and nobody else waits for that. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class StuckUnbindTest {
  private static final Path UNBIND = Path.of("/sys/bus/pci/drivers/vfio-pci/unbind");

  private final Sysfs sysfs = Sysfs.host().withPatience(Duration.ofMillis(500));

  @Test
  @Timeout(120)
  void theDeviceIsListedAndDiagnosedMeanwhile() throws IOException, InterruptedException {
    Thread unbinding = new Thread(StuckUnbindTest::unbind);
    try (VfioDevice _ = VfioDevice.open(Machine.EDU)) {
      unbinding.start();
      while (sysfs.device(Machine.EDU).hasVfioDriver()) {
        Thread.sleep(10);
      }

      HostDevice edu = sysfs.device(Machine.EDU);
      assertThat(sysfs.devices()).contains(edu);
      assertThat(Diagnosis.of(sysfs, edu).findings()).isNotEmpty();
      assertThatThrownBy(() -> DriverBinding.unbind(sysfs, Machine.EDU))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("process " + ProcessHandle.current().pid() + " (");
      assertThatThrownBy(() -> DriverBinding.bind(sysfs, Machine.EDU))
          .isInstanceOf(DeviceBusyException.class);
      assertThat(unbinding.isAlive()).isTrue();
    }
    unbinding.join();
    assertThat(sysfs.device(Machine.EDU).driver()).isEmpty();
    while (isOverrideBeingRead()) {
      Thread.sleep(10);
    }
  }

  /** Readings that were given up end a moment after the kernel lets them. */
  private static boolean isOverrideBeingRead() {
    return OpenHandles.now().counts().keySet().stream()
        .anyMatch(handle -> handle.endsWith("/driver_override"));
  }

  private static void unbind() {
    try {
      Files.writeString(UNBIND, Machine.EDU.toString(), StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
