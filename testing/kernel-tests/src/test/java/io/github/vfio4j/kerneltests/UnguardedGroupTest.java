package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The legacy interface's own way to a device that no IOMMU guards. */
class UnguardedGroupTest {
  @Test
  @Bound(Device.EDU)
  @OnMachine("bare")
  void deviceReachesThePhysicalAddress() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open(Container.Type.NOIOMMU)) {
      VfioDevice device = container.openDevice(Sysfs.host().device(Machine.EDU));
      MemorySegment source = EduDma.page(arena, 1);
      MemorySegment target = EduDma.page(arena, 2);
      try (Edu edu = Edu.start(device)) { // has its interrupt tell when it is done
        EduDma.move(edu, PhysicalMemory.address(source), PhysicalMemory.address(target));

        assertThat(target.mismatch(source)).isEqualTo(-1);
      }
      assertThatThrownBy(() -> container.map(source, 0x10000, READ_WRITE))
          .hasMessageContaining("physical");
      assertThatThrownBy(() -> container.allocate(PAGE)).hasMessageContaining("physical");
    }
  }

  @Test
  @Bound(Device.EDU)
  @OnMachine("bare")
  void otherContainersDoNotTakeIt() throws VfioException {
    try (Container container = Container.open()) {
      assertThatThrownBy(() -> container.openDevice(Sysfs.host().device(Machine.EDU)))
          .isInstanceOf(NotPermittedException.class)
          .hasMessageContaining("no IOMMU guards it");
    }
  }

  @Test
  @Bound(Device.EDU)
  @OnMachine("intel/legacy")
  void guardedDeviceDoesNotLoseItsGuard() throws VfioException {
    try (Container container = Container.open(Container.Type.NOIOMMU)) {
      assertThatThrownBy(() -> container.openDevice(Sysfs.host().device(Machine.EDU)))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("an IOMMU guards the group");
    }
  }
}
