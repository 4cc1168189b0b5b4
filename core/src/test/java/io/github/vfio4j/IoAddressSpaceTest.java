package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Containers;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.MemoryInUse;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IoAddressSpaceTest {
  private static final long PAGE = 4096;

  @TempDir Path root;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void badInputIsRefusedBeforeTheKernelSeesIt(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = arena.allocate(2 * PAGE, PAGE);
      MemorySegment page = memory.asSlice(0, PAGE);
      space.map(page, 0x10000, DmaAccess.READ_WRITE);
      int before = machine.kernel.log().size();

      assertRefused(space, memory.asSlice(1, PAGE), 0x20000, "address");
      assertRefused(space, memory.asSlice(0, 100), 0x20000, "size 100");
      assertRefused(space, memory.asSlice(0, 0), 0x20000, "empty");
      assertRefused(space, page, 0x20001, "IOVA 0x20001");
      assertRefused(space, memory, -PAGE, "wraps around");
      assertRefused(space, MemorySegment.ofArray(new byte[4096]), 0x20000, "heap");
      assertRefused(space, page.asReadOnly(), 0x20000, "read-only");
      assertThatThrownBy(() -> space.map(memory, 0x10000 - PAGE, DmaAccess.READ))
          .isInstanceOf(IovaInUseException.class)
          .hasMessageContaining("0xf000-0x10fff");
      assertThatThrownBy(() -> space.unmap(0x10000, 2 * PAGE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the mapping there has 0x1000 bytes");
      assertThatThrownBy(() -> space.unmap(0x30000, PAGE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no mapping starts there");

      assertThat(machine.kernel.log()).hasSize(before);
      space.unmap(0x10000, PAGE);
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static void assertRefused(
      IoAddressSpace space, MemorySegment memory, long iova, String why) {
    assertThatThrownBy(() -> space.map(memory, iova, DmaAccess.READ_WRITE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }

  @Test
  void outsideTheRangesOfTheIommuIsRefused() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(PAGE, PAGE);

      assertThatThrownBy(() -> device.addressSpace().map(page, 1L << 48, DmaAccess.READ))
          .isInstanceOf(IovaOutOfRangeException.class)
          .hasMessageContaining("0xffffffffffff");
    }
  }

  @Test
  void rangesThatShrinkAndGrowKeepWhatIsMapped() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (Iommufd iommufd = Iommufd.open(machine.host);
        Ioas ioas = iommufd.allocateIoas();
        Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(PAGE, PAGE);
      ioas.map(page, 0x10000, DmaAccess.READ);
      CdevDevice device = iommufd.bind(machine.device());
      machine.iommu.addressBits(39);
      device.attach(ioas);

      assertThat(ioas.iovaRanges()).containsExactly(new IovaRange(0, (1L << 39) - 1));
      assertThatThrownBy(() -> ioas.map(page, 1L << 40, DmaAccess.READ))
          .isInstanceOf(IovaOutOfRangeException.class);
      assertThatThrownBy(() -> ioas.map(page, 0x10000, DmaAccess.READ))
          .isInstanceOf(IovaInUseException.class);

      machine.iommu.addressBits(48);
      device.detach();
      ioas.map(page, 1L << 40, DmaAccess.READ);
      ioas.unmap(0x10000, PAGE);
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aRefusedMapLeavesTheRangeFree(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment page = arena.allocate(PAGE, PAGE);
      machine.kernel.fail(FakeMachine.mapOperation(backend), Errno.ENOMEM);
      assertThatThrownBy(() -> space.map(page, 0x10000, DmaAccess.READ))
          .isInstanceOf(MemlockLimitException.class)
          .hasMessageContaining("locked memory");

      machine.kernel.failNoMore();
      space.map(page, 0x10000, DmaAccess.READ);
      space.unmap(0x10000, PAGE);
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void closingWhatWasUnmappedByHandLeavesTheNextMappingAlone(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      DmaBuffer buffer = space.allocate(PAGE);
      DmaMapping mapping = space.map(arena.allocate(PAGE, PAGE), DmaAccess.READ);
      space.unmap(buffer.iova(), PAGE);
      space.unmap(mapping.iova(), PAGE);
      MemorySegment other = arena.allocate(PAGE, PAGE);
      space.map(other, buffer.iova(), DmaAccess.READ);
      space.map(other, mapping.iova(), DmaAccess.READ);

      buffer.close();
      mapping.close();

      assertThat(buffer.segment().scope().isAlive()).isFalse();
      space.unmap(buffer.iova(), PAGE);
      space.unmap(mapping.iova(), PAGE);
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void whatIsUnmappedInPartIsStillMapped(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      DmaBuffer buffer = device.addressSpace().allocate(2 * PAGE);
      machine.iommu.unmapShort(PAGE);

      assertThatThrownBy(buffer::close)
          .isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEmpty())
          .hasMessageContaining("4096 of 8192 bytes");

      assertThat(buffer.segment().scope().isAlive()).isTrue();
      buffer.close();
      assertThat(buffer.segment().scope().isAlive()).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aClosedMappingNeverEndsItsSuccessor(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment page = arena.allocate(PAGE, PAGE);
      DmaMapping unmappedByHand = space.map(page, DmaAccess.READ);
      space.unmap(unmappedByHand.iova(), PAGE);
      DmaMapping closed = space.map(page, DmaAccess.READ);
      closed.close();
      DmaMapping last = space.map(page, DmaAccess.READ);
      assertThat(closed.iova()).isEqualTo(unmappedByHand.iova());
      assertThat(last.iova()).isEqualTo(closed.iova());
      int before = machine.kernel.log().size();

      unmappedByHand.close();
      closed.close();

      assertThat(machine.kernel.log()).hasSize(before);
      last.close();
      assertThatThrownBy(() -> space.unmap(last.iova(), PAGE))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aBufferInUseIsUnmappedAndItsMemoryIsFreedLater(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      DmaBuffer buffer = device.addressSpace().allocate(MemoryInUse.SIZE);
      MemoryInUse.during(
          root,
          buffer.segment(),
          () -> {
            assertThatThrownBy(buffer::close).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(buffer::close).isInstanceOf(IllegalStateException.class);
            buffer.segment().fill((byte) 1);
          });

      buffer.close();

      assertThat(buffer.segment().scope().isAlive()).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aBufferInUseOutlivesItsDeviceAndIsFreedLater(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    VfioDevice device = machine.open(backend);
    DmaBuffer buffer = device.addressSpace().allocate(MemoryInUse.SIZE);
    MemoryInUse.during(
        root,
        buffer.segment(),
        () -> {
          assertThatThrownBy(device::close).isInstanceOf(IllegalStateException.class);
          assertThat(machine.kernel.leftOpen()).isEmpty();
          buffer.segment().fill((byte) 1);
        });

    buffer.close();

    assertThat(buffer.segment().scope().isAlive()).isFalse();
  }

  @Test
  void whatWasUnmappedIsFreeForRangesOfAnyShape() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment all = arena.allocate(200 * PAGE, PAGE);
      for (int i = 0; i < 200; i++) {
        space.map(all.asSlice(i * PAGE, PAGE), (16 + i) * PAGE, DmaAccess.READ);
      }
      for (int i = 0; i < 200; i++) {
        space.unmap((16 + i) * PAGE, PAGE);
      }

      space.map(all.asSlice(0, PAGE), 17 * PAGE, DmaAccess.READ);
      assertThatThrownBy(() -> space.map(all, 16 * PAGE, DmaAccess.READ))
          .isInstanceOf(IovaInUseException.class);
      space.unmap(17 * PAGE, PAGE);
      space.map(all, 16 * PAGE, DmaAccess.READ);
      assertThatThrownBy(() -> space.map(all.asSlice(0, PAGE), 17 * PAGE, DmaAccess.READ))
          .isInstanceOf(IovaInUseException.class);
    }
  }

  @Test
  void theLowestAddressIsChosenThoughItWasMappedBefore() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Arena arena = Arena.ofConfined()) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment page = arena.allocate(PAGE, PAGE);
      DmaMapping first = space.map(page, DmaAccess.READ);
      first.close();

      DmaMapping second = space.map(page, DmaAccess.READ);

      assertThat(second.iova()).isEqualTo(first.iova());
    }
  }

  @Test
  void aContainerWithoutAGroupSaysWhyItCannotMap() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (Container container = Containers.open(machine.host)) {
      assertThatThrownBy(() -> container.allocate(PAGE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("open a device in it first");
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void closingTwiceAndInAnyOrderDoesNothingMore(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    VfioDevice device = machine.open(backend);
    IoAddressSpace space = device.addressSpace();
    DmaBuffer buffer = space.allocate(PAGE);

    device.close();
    space.close();
    buffer.close();
    device.close();

    assertThatThrownBy(() -> space.allocate(PAGE)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> buffer.segment().fill((byte) 1))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(device::reset).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> device.region(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> device.irq(0)).isInstanceOf(IllegalStateException.class);
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }
}
