package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.mock.Memory.HUGE_PAGE;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_info_cap_header;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_iova_range;
import io.github.vfio4j.bindings.vfio_iova_range;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.kerneltests.RefusalAssertions;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.mock.Mock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The kernel's legacy interface on an iommufd. A mock device is in no group, so there is no {@code
 * Container} for it, and the calls that one makes are made here.
 */
@OnMachine(value = "bare", since = "7.0")
class LegacyTest {
  private static final long AT = Mock.APERTURE_FIRST;
  private static final int PARTS = 16;

  /** The two kinds that the kernel plays. */
  enum Kind {
    VERSION_1(vfio_h.VFIO_TYPE1_IOMMU),
    VERSION_2(vfio_h.VFIO_TYPE1v2_IOMMU);

    private final int number;

    Kind(int number) {
      this.number = number;
    }

    MockSpace open() throws VfioException {
      MockSpace space = MockSpace.open(1);
      space.iommufd().setCompatibilityIoas(space.ioas());
      Raw.assertAnswer(
          0, Raw.ioctl(space.mock(), Ioctl.VFIO_SET_IOMMU, number), Ioctl.VFIO_SET_IOMMU);
      return space;
    }
  }

  @ParameterizedTest
  @EnumSource
  void usesTheAddressSpaceThatWasChosen(Kind kind) throws IOException {
    try (MockSpace space = kind.open()) {
      assertThat(space.iommufd().compatibilityIoas()).containsSame(space.ioas());
    }
  }

  @ParameterizedTest
  @EnumSource
  void firstVersionCombinesNoPages(Kind kind) throws IOException {
    try (MockSpace space = kind.open()) {
      assertThat(space.ioas().hugePages()).isEqualTo(kind == Kind.VERSION_2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void describesItselfInAsMuchRoomAsThereIs(Kind kind) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = kind.open()) {
      MemorySegment reply = arena.allocate(PAGE, Long.BYTES);
      ask(space, reply, (int) vfio_iommu_type1_info.cap_offset$OFFSET);
      int whole = ask(space, reply, (int) vfio_iommu_type1_info.SIZEOF);
      assertThat(vfio_iommu_type1_info.cap_offset(reply)).isZero();
      assertThat(whole).isGreaterThan((int) vfio_iommu_type1_info.SIZEOF);

      for (int room = (int) vfio_iommu_type1_info.SIZEOF; room <= whole; room++) {
        ask(space, reply, room);
        int first = vfio_iommu_type1_info.cap_offset(reply);
        if (first != 0) {
          assertThat(capabilities(reply, first, room))
              .containsExactlyInAnyOrder(
                  vfio_h.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
                  vfio_h.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
        }
      }
      assertThat(vfio_iommu_type1_info.cap_offset(reply)).isNotZero();
    }
  }

  /** Asks with some room, past which nothing may be written, and returns how much it takes. */
  private static int ask(MockSpace space, MemorySegment reply, int room) {
    reply.fill((byte) 0);
    vfio_iommu_type1_info.argsz(reply, room);
    reply.asSlice(room).fill((byte) 0xaa);
    Raw.assertDone(space.mock(), Ioctl.VFIO_IOMMU_GET_INFO, reply);
    assertThat(reply.asSlice(room).toArray(JAVA_BYTE)).containsOnly(0xaa);
    assertThat(vfio_iommu_type1_info.flags(reply))
        .isEqualTo(vfio_h.VFIO_IOMMU_INFO_PGSIZES | vfio_h.VFIO_IOMMU_INFO_CAPS);
    assertThat(vfio_iommu_type1_info.iova_pgsizes(reply)).isNotZero();
    return vfio_iommu_type1_info.argsz(reply);
  }

  private static List<Integer> capabilities(MemorySegment reply, int first, int room) {
    List<Integer> ids = new ArrayList<>();
    for (int at = first; at != 0; ) {
      assertThat(at).isLessThanOrEqualTo(room - (int) vfio_info_cap_header.SIZEOF);
      MemorySegment capability = reply.asSlice(at);
      int id = Short.toUnsignedInt(vfio_info_cap_header.id(capability));
      ids.add(id);
      if (id == vfio_h.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
        assertThat(vfio_iommu_type1_info_cap_iova_range.nr_iovas(capability)).isEqualTo(1);
        MemorySegment range =
            capability.asSlice(vfio_iommu_type1_info_cap_iova_range.iova_ranges$OFFSET);
        assertThat(vfio_iova_range.start(range)).isEqualTo(Mock.APERTURE_FIRST);
        assertThat(vfio_iova_range.end(range)).isEqualTo(Mock.APERTURE_LAST);
      }
      at = vfio_info_cap_header.next(capability);
    }
    return ids;
  }

  private static void map(Arena arena, MockSpace space, MemorySegment memory, long iova) {
    MemorySegment request = arena.allocate(vfio_iommu_type1_dma_map.LAYOUT);
    vfio_iommu_type1_dma_map.argsz(request, (int) vfio_iommu_type1_dma_map.SIZEOF);
    vfio_iommu_type1_dma_map.flags(
        request, vfio_h.VFIO_DMA_MAP_FLAG_READ | vfio_h.VFIO_DMA_MAP_FLAG_WRITE);
    vfio_iommu_type1_dma_map.vaddr(request, memory.address());
    vfio_iommu_type1_dma_map.iova(request, iova);
    vfio_iommu_type1_dma_map.size(request, memory.byteSize());
    Raw.assertDone(space.mock(), Ioctl.VFIO_IOMMU_MAP_DMA, request);
  }

  private static MemorySegment unmap(Arena arena, int flags, long iova, long size) {
    MemorySegment request = arena.allocate(vfio_iommu_type1_dma_unmap.LAYOUT);
    vfio_iommu_type1_dma_unmap.argsz(request, (int) vfio_iommu_type1_dma_unmap.SIZEOF);
    vfio_iommu_type1_dma_unmap.flags(request, flags);
    vfio_iommu_type1_dma_unmap.iova(request, iova);
    vfio_iommu_type1_dma_unmap.size(request, size);
    return request;
  }

  private static void assertUnmapped(MockSpace space, MemorySegment request, long size) {
    Raw.assertDone(space.mock(), Ioctl.VFIO_IOMMU_UNMAP_DMA, request);
    assertThat(vfio_iommu_type1_dma_unmap.size(request)).isEqualTo(size);
  }

  @ParameterizedTest
  @EnumSource
  void mapsIntoTheAddressSpaceAndUnmaps(Kind kind) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = kind.open()) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, PARTS);
      long size = memory.byteSize();
      map(arena, space, memory, AT);
      assertThat(space.seen(AT, memory)).isTrue();
      // what the library does not know of, the kernel refuses
      RefusalAssertions.assertRefused(Errno.EEXIST, () -> ioas.map(memory, AT, READ_WRITE));
      assertUnmapped(space, unmap(arena, 0, AT, size), size);
      assertUnmapped(space, unmap(arena, 0, AT, size), 0);

      map(arena, space, memory, AT);
      Raw.assertRefused(
          Errno.EINVAL,
          space.mock(),
          Ioctl.VFIO_IOMMU_UNMAP_DMA,
          unmap(arena, vfio_h.VFIO_DMA_UNMAP_FLAG_ALL, AT, size));
      assertThat(space.seen(AT, memory)).isTrue();
      assertUnmapped(space, unmap(arena, vfio_h.VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), size);
      assertThat(space.mock().pinned(memory, 0)).isTrue();

      for (int part : shuffled()) {
        map(arena, space, memory.asSlice(part * PAGE, PAGE), AT + part * PAGE);
      }
      assertThat(space.seen(AT, memory)).isTrue();
      for (int part : shuffled()) {
        assertUnmapped(space, unmap(arena, 0, AT + part * PAGE, PAGE), PAGE);
      }
      assertThat(space.mock().pinned(memory, 0)).isTrue();
    }
  }

  private static List<Integer> shuffled() {
    List<Integer> parts = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) {
      parts.add(i);
    }
    Collections.shuffle(parts, new Random(PARTS));
    return parts;
  }

  @ParameterizedTest
  @EnumSource
  void onlyTheFirstVersionCutsMappings(Kind kind) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = kind.open()) {
      MemorySegment memory =
          space.iommufd().allocateIoas().allocateHuge(2 * HUGE_PAGE, HUGE_PAGE).segment();
      map(arena, space, memory, AT);
      long part = memory.byteSize() / PARTS;
      for (int i : shuffled()) {
        MemorySegment request = unmap(arena, 0, AT + i * part, part);
        if (kind == Kind.VERSION_1) {
          assertUnmapped(space, request, part);
          assertThat(space.seen(AT + i * part, memory.asSlice(i * part, PAGE))).isFalse();
        } else {
          Raw.assertRefused(Errno.ENOENT, space.mock(), Ioctl.VFIO_IOMMU_UNMAP_DMA, request);
        }
      }
      assertThat(space.seen(AT, memory)).isEqualTo(kind == Kind.VERSION_2);
    }
  }
}
