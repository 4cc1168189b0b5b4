package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Containers;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernel looks for the pages of a mapping when a device needs them, and finds the same. */
class LatePagesTest {
  private static final long PAGE = 4096;

  /** So much that the C library gives it back to the kernel when it is freed. */
  private static final long LARGE = 40 << 20;

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void lookUpPages() throws VfioException {
    machine = new FakeMachine(root);
    machine.iommu.lookUpPages();
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static DmaMapping mapAutomaticMemory(IoAddressSpace space, long content)
      throws VfioException {
    MemorySegment memory = Arena.ofAuto().allocate(LARGE, PAGE);
    memory.set(JAVA_LONG, 0, content);
    return space.map(memory, DmaAccess.READ);
  }

  private static void collectGarbage() throws InterruptedException {
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(10); // for the cleaner
    }
  }

  @Test
  void memoryOfAnAutomaticArenaIsThereWhenADeviceIsAttached() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas ioas = iommufd.allocateIoas();
      DmaMapping mapping = mapAutomaticMemory(ioas, 42);
      CdevDevice device = iommufd.bind(machine.device());
      collectGarbage();
      assertThat(machine.iommu.seenAt(mapping.iova())).isNull();

      device.attach(ioas);

      assertThat(machine.iommu.seenAt(mapping.iova())).isEqualTo(42);
    }
  }

  @Test
  void memoryOfAnAutomaticArenaIsThereForTheNextGroup() throws Exception {
    try (Container container = Containers.open(machine.host)) {
      VfioDevice first = container.openDevice(machine.device());
      DmaMapping mapping = mapAutomaticMemory(container, 42);
      first.close();
      machine.kernel.unbind();
      assertThat(machine.iommu.seenAt(mapping.iova())).isNull();
      collectGarbage();

      VfioDevice second = container.openDevice(machine.device());

      assertThat(second.isClosed()).isFalse();
      assertThat(machine.iommu.seenAt(mapping.iova())).isEqualTo(42);
    }
  }

  @Test
  void aBufferIsSeenWhereAnEarlierOneWasFreed() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas ioas = iommufd.allocateIoas();
      DmaBuffer earlier = ioas.allocate(PAGE);
      earlier.segment().set(JAVA_LONG, 0, 1);
      earlier.close();
      DmaBuffer later = ioas.allocate(PAGE);
      later.segment().set(JAVA_LONG, 0, 2);

      iommufd.bind(machine.device()).attach(ioas);

      assertThat(later.iova()).isEqualTo(earlier.iova());
      assertThat(machine.iommu.seenAt(later.iova())).isEqualTo(2);
    }
  }

  @Test
  void aPageTableOfItsOwnNeedsThePagesOfWhatWasMappedBefore() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas ioas = iommufd.allocateIoas();
      DmaMapping before = mapAutomaticMemory(ioas, 1);
      CdevDevice device = iommufd.bind(machine.device());
      collectGarbage();

      ioas.allocateHwpt(device);
      DmaMapping after = mapAutomaticMemory(ioas, 2);

      assertThat(machine.iommu.seenAt(before.iova())).isEqualTo(1);
      assertThat(machine.iommu.seenAt(after.iova())).isEqualTo(2);
    }
  }
}
