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
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** The legacy interface's own way to a device that no IOMMU guards. */
class UnguardedGroupTest {
  private static final long PRESENT = 1L << 63;
  private static final long FRAME = (1L << 55) - 1;

  /** Where a touched page is; nothing moves it in a guest that has memory to spare. */
  private static long physicalAddress(MemorySegment page) throws IOException {
    try (var pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
      pagemap.seek(page.address() / PAGE * Long.BYTES);
      long entry = Long.reverseBytes(pagemap.readLong());
      assertThat(entry & PRESENT).isNotZero();
      return (entry & FRAME) * PAGE;
    }
  }

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
        EduDma.move(edu, physicalAddress(source), physicalAddress(target));

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
