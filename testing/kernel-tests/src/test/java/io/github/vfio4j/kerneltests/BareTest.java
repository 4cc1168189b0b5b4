package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;

/** Without an IOMMU nothing translates for a device, so it is not opened. */
@OnMachine("bare")
@Bound(Device.EDU)
class BareTest {
  @EachBackend
  void deviceThatNoIommuGuardsIsRefused(Backend backend) {
    assertThatThrownBy(() -> VfioDevice.open(Machine.EDU, backend))
        .isInstanceOf(NotPermittedException.class)
        .hasMessageContaining("no IOMMU guards it");
  }
}
