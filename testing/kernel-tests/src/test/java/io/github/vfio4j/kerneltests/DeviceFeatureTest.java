package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.feature.DeviceFeature.DMA_BUF;
import static io.github.vfio4j.feature.DeviceFeature.DMA_LOGGING_REPORT;
import static io.github.vfio4j.feature.DeviceFeature.DMA_LOGGING_START;
import static io.github.vfio4j.feature.DeviceFeature.DMA_LOGGING_STOP;
import static io.github.vfio4j.feature.DeviceFeature.LOW_POWER_ENTRY;
import static io.github.vfio4j.feature.DeviceFeature.LOW_POWER_ENTRY_WITH_WAKEUP;
import static io.github.vfio4j.feature.DeviceFeature.LOW_POWER_EXIT;
import static io.github.vfio4j.feature.DeviceFeature.MIGRATION;
import static io.github.vfio4j.feature.DeviceFeature.MIG_DATA_SIZE;
import static io.github.vfio4j.feature.DeviceFeature.MIG_DEVICE_STATE;
import static io.github.vfio4j.feature.DeviceFeature.MIG_PRECOPY_INFOv2;
import static io.github.vfio4j.feature.DeviceFeature.PCI_VF_TOKEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which features the kernel's drivers give the devices of the lab. */
@OnMachine({"intel/legacy", "intel/scalable", "smmuv3"}) // the IOMMU does not matter
class DeviceFeatureTest {
  @EachBackend
  @Bound({Device.IGB, Device.EDU})
  void pciDevicesHaveThoseOfTheirDriver(Backend backend) throws VfioException {
    Set<DeviceFeature> ofAll =
        EnumSet.of(LOW_POWER_ENTRY, LOW_POWER_ENTRY_WITH_WAKEUP, LOW_POWER_EXIT);
    if (Machine.kernelIsSince("7.0")) {
      ofAll.add(DMA_BUF);
    }
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(DeviceFeature.of(edu)).isEqualTo(ofAll);
    }
    ofAll.add(PCI_VF_TOKEN); // only this device has virtual functions
    try (VfioDevice igb = VfioDevice.open(Machine.IGB, backend)) {
      assertThat(DeviceFeature.of(igb)).isEqualTo(ofAll);
      assertThat(PCI_VF_TOKEN.isOf(igb)).isTrue();
      assertThat(MIGRATION.isOf(igb)).isFalse();
    }
  }

  @Test
  @OnMachine(
      value = {"intel/legacy", "intel/scalable", "smmuv3"},
      since = "6.12")
  void serialPortCanMigrate() throws VfioException {
    MediatedDevice mtty = SerialPort.create();
    try (VfioDevice device = VfioDevice.open(mtty)) {
      Set<DeviceFeature> expected =
          EnumSet.of(
              MIGRATION,
              MIG_DEVICE_STATE,
              MIG_DATA_SIZE,
              DMA_LOGGING_START,
              DMA_LOGGING_STOP,
              DMA_LOGGING_REPORT);
      if (Machine.kernelIsSince("7.0")) {
        expected.add(MIG_PRECOPY_INFOv2);
      }
      assertThat(DeviceFeature.of(device)).isEqualTo(expected);
    } finally {
      Sysfs.host().remove(mtty);
    }
  }

  @Test
  @Bound(Device.EDU)
  void closedDeviceIsNotAsked() throws VfioException {
    VfioDevice edu = VfioDevice.open(Machine.EDU);
    edu.close();

    assertThatThrownBy(() -> MIGRATION.isOf(edu)).isInstanceOf(IllegalStateException.class);
  }
}
