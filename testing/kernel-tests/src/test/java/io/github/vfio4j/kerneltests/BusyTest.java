package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;

/** A device has one user, whichever way each of them comes. */
@OnMachine(OnMachine.IOMMU)
class BusyTest {
  @EachBackend
  void deviceOpenInThisProcessIsBusyAndStaysUsable(Backend backend) throws IOException {
    try (DriverBinding binding = DriverBinding.bind(Sysfs.host(), Machine.EDU)) {
      try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
          Edu edu = Edu.start(device)) {
        assertBusyOnEachBackend();
        assertThatThrownBy(binding::close)
            .isInstanceOf(DeviceBusyException.class)
            .hasMessageContaining("process " + ProcessHandle.current().pid());

        assertThat(edu.raiseInterrupt(1)).isEqualTo(1);
      }
      for (Backend other : Machine.backends().toList()) {
        VfioDevice.open(Machine.EDU, other).close();
      }
    }
  }

  static void assertBusyOnEachBackend() {
    Machine.backends()
        .forEach(
            backend ->
                assertThatThrownBy(() -> VfioDevice.open(Machine.EDU, backend))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("open already"));
  }
}
