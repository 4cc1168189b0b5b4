package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Tests have the devices that they name, which are given back whatever becomes of the tests. */
@OnMachine(OnMachine.IOMMU)
class BoundTest {
  private static List<String> drivers() throws IOException {
    var drivers = new ArrayList<String>();
    for (Device device : List.of(Device.RNG, Device.EDU, Device.EDU_2)) {
      drivers.add(Sysfs.host().device(device.address()).driver().orElse("none"));
    }
    return drivers;
  }

  @Bound(Device.RNG)
  abstract static class Base {}

  static class Failing extends Base {
    @Test
    @Bound(Device.EDU)
    void fails() throws IOException {
      throw new IllegalStateException(drivers().toString());
    }
  }

  @Bound({Device.EDU_2, Device.EDU})
  static class Replacing extends Base {
    @Test
    void fails() throws IOException {
      throw new IllegalStateException(drivers().toString());
    }
  }

  @Bound({Device.RNG, Device.BRIDGE, Device.EDU})
  static class Unbindable {
    @Test
    void isNotRun() {
      throw new IllegalStateException("it is run");
    }
  }

  @Bound({Device.RNG, Device.EDU})
  static class LeavingOpen {
    static VfioDevice left;

    @BeforeAll
    static void open() throws IOException {
      left = VfioDevice.open(Machine.EDU);
    }

    @Test
    void passes() {}
  }

  /** Runs such a class, and returns why it fails. */
  private static Throwable failure(Class<?> tests) {
    var listener = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(tests))
                .build(),
            listener);
    assertThat(listener.getSummary().getFailures()).hasSize(1);
    return listener.getSummary().getFailures().getFirst().getException();
  }

  @AfterEach
  void everyDeviceIsGivenBack() throws IOException {
    assertThat(drivers()).containsExactly("virtio-pci", "none", "none");
  }

  @Test
  void testHasItsOwnDevicesAndThoseOfTheSuperclass() {
    assertThat(failure(Failing.class)).hasMessage("[vfio-pci, vfio-pci, none]");
  }

  @Test
  void classCanHaveOtherDevicesThanItsSuperclass() {
    assertThat(failure(Replacing.class)).hasMessage("[virtio-pci, vfio-pci, vfio-pci]");
  }

  @Test
  void deviceThatCannotBeBoundFailsTheClass() {
    assertThat(failure(Unbindable.class))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("it is a bridge");
  }

  @Test
  void deviceThatIsStillOpenFailsTheClassAndKeepsNoOther() throws IOException {
    try {
      assertThat(failure(LeavingOpen.class)).isInstanceOf(DeviceBusyException.class);
      assertThat(drivers()).containsExactly("virtio-pci", "vfio-pci", "none");
    } finally {
      LeavingOpen.left.close();
      DriverBinding.unbind(Sysfs.host(), Machine.EDU);
    }
  }
}
