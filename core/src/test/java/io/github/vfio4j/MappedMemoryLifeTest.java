package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Containers;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Memory lives as long as the kernel may look for it. */
class MappedMemoryLifeTest {
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

  private static void collectGarbage() throws InterruptedException {
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(10); // for the cleaner
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void memoryThatWasFreedIsRefused(Backend backend) throws Exception {
    try (VfioDevice device = machine.open(backend)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment freed;
      try (Arena arena = Arena.ofConfined()) {
        freed = arena.allocate(PAGE, PAGE);
      }
      DmaBuffer buffer = space.allocate(PAGE);
      buffer.close();

      for (MemorySegment memory : new MemorySegment[] {freed, buffer.segment()}) {
        assertThatThrownBy(() -> space.map(memory, DmaAccess.READ))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("the memory has been freed");
        assertThatThrownBy(() -> space.map(memory, 0x10000, DmaAccess.READ))
            .isInstanceOf(IllegalStateException.class);
      }

      space.map(Arena.ofAuto().allocate(PAGE, PAGE), 0x10000, DmaAccess.READ);
    }
  }

  @Test
  void aBuffersPagesStayForItsOtherMappings() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas first = iommufd.allocateIoas();
      Ioas second = iommufd.allocateIoas();
      DmaBuffer buffer = first.allocate(LARGE);
      buffer.segment().set(JAVA_LONG, 0, 42);
      DmaMapping other = second.map(buffer.segment(), DmaAccess.READ);
      DmaMapping copy = second.copy(first, buffer.iova(), LARGE, DmaAccess.READ);

      buffer.close();
      collectGarbage();
      second.openDevice(machine.device());

      assertThat(machine.iommu.seenAt(other.iova())).isEqualTo(42);
      assertThat(machine.iommu.seenAt(copy.iova())).isEqualTo(42);
      assertThatThrownBy(() -> first.copy(second, copy.iova(), LARGE, DmaAccess.READ))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("freed");
    }
  }

  @Test
  void aBuffersPagesGoWithItsLastMapping() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas first = iommufd.allocateIoas();
      Ioas second = iommufd.allocateIoas();
      DmaBuffer buffer = first.allocate(LARGE);
      long address = buffer.segment().address();
      DmaMapping other = second.map(buffer.segment(), DmaAccess.READ);
      buffer.close();
      assertThat(isMapped(address)).isTrue();

      other.close();
      buffer = first.allocate(PAGE); // forgets the old one
      collectGarbage();

      assertThat(isMapped(address)).isFalse();
      buffer.close();
    }
  }

  @Test
  void aBuffersPagesGoWithTheAddressSpaceOfItsLastMapping() throws Exception {
    long address;
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas first = iommufd.allocateIoas();
      Ioas second = iommufd.allocateIoas();
      DmaBuffer buffer = second.allocate(LARGE);
      address = buffer.segment().address();
      first.map(buffer.segment(), DmaAccess.READ);
      second.close();
      assertThat(isMapped(address)).isTrue();
    }
    assertThat(isMapped(address)).isFalse();
  }

  private static boolean isMapped(long address) throws Exception {
    return java.nio.file.Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .map(line -> line.substring(0, line.indexOf(' ')).split("-"))
        .anyMatch(
            ends ->
                Long.parseUnsignedLong(ends[0], 16) <= address
                    && address < Long.parseUnsignedLong(ends[1], 16));
  }

  @Test
  void aFilesPagesStayForTheirMapping() throws Exception {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      Ioas ioas = iommufd.allocateIoas();
      DmaMapping mapping;
      try (MemoryFile file = MemoryFile.create("test", PAGE)) {
        file.segment().set(JAVA_LONG, 0, 42);
        mapping = ioas.map(file.segment(), DmaAccess.READ);
      }

      ioas.openDevice(machine.device());

      assertThat(machine.iommu.seenAt(mapping.iova())).isEqualTo(42);
    }
  }

  @Test
  void aContainerMapsNothingAgainThatWasFreed() throws Exception {
    try (Container container = Containers.open(machine.host)) {
      VfioDevice first = container.openDevice(machine.device());
      try (Arena arena = Arena.ofConfined()) {
        container.map(arena.allocate(PAGE, PAGE), 0x10000, DmaAccess.READ);
        first.close();
        machine.kernel.unbind();
      }

      assertThatThrownBy(() -> container.openDevice(machine.device()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("0x10000")
          .hasMessageContaining("freed");

      container.unmap(0x10000, PAGE);
      assertThat(container.openDevice(machine.device()).isClosed()).isFalse();
    }
  }

  @Test
  void whatNobodyClosesStaysReachable() throws Exception {
    WeakReference<MemorySegment> memory = mapAndForget();

    collectGarbage();

    assertThat(memory.get()).isNotNull();
  }

  private WeakReference<MemorySegment> mapAndForget() throws VfioException {
    MemorySegment memory = Arena.ofAuto().allocate(PAGE, PAGE);
    machine.open(Backend.IOMMUFD).addressSpace().map(memory, DmaAccess.READ);
    return new WeakReference<>(memory);
  }
}
