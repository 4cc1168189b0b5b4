package io.github.vfio4j.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_info_cap_header;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_iova_range;
import io.github.vfio4j.bindings.vfio_iova_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CapabilityChainTest {
  private static final long HEADER = vfio_info_cap_header.SIZEOF;

  /** Linux 6.1 puts the IOVA ranges right behind a capability of 12 bytes. */
  @Test
  void readsACapabilityThatTheKernelDidNotAlign() throws VfioException {
    long offset = vfio_iommu_type1_info.SIZEOF + 12;
    long ranges = offset + vfio_iommu_type1_info_cap_iova_range.SIZEOF;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply = arena.allocate(ranges + vfio_iova_range.SIZEOF, Long.BYTES);
      reply.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) 1);
      reply.set(ValueLayout.JAVA_LONG_UNALIGNED, ranges, 0x1000);
      reply.set(ValueLayout.JAVA_LONG_UNALIGNED, ranges + Long.BYTES, 0xffff_ffff_ffffL);

      List<CapabilityChain.Link> links =
          CapabilityChain.walk(reply, offset, vfio_iommu_type1_info.SIZEOF, "container");

      MemorySegment range =
          links.getFirst().bytes().asSlice(vfio_iommu_type1_info_cap_iova_range.SIZEOF);
      assertThat(links).hasSize(1);
      assertThat(vfio_iova_range.start(range)).isEqualTo(0x1000);
      assertThat(vfio_iova_range.end(range)).isEqualTo(0xffff_ffff_ffffL);
    }
  }

  /** A chain whose links lie at these offsets, in this order. */
  private static MemorySegment chain(Arena arena, long... offsets) {
    MemorySegment reply = arena.allocate(Arrays.stream(offsets).max().orElseThrow() + HEADER, 8);
    for (int i = 0; i < offsets.length; i++) {
      MemorySegment header = reply.asSlice(offsets[i], HEADER);
      vfio_info_cap_header.id(header, (short) i);
      if (i + 1 < offsets.length) {
        vfio_info_cap_header.next(header, (int) offsets[i + 1]);
      }
    }
    return reply;
  }

  @Test
  void takesLinksInAnyOrder() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      List<CapabilityChain.Link> links =
          CapabilityChain.walk(chain(arena, 40, 16, 24), 40, 16, "device");

      assertThat(links).extracting(CapabilityChain.Link::id).containsExactly(0, 1, 2);
      assertThat(links).extracting(link -> link.bytes().byteSize()).containsExactly(8L, 8L, 16L);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {20, 28})
  void refusesAHeaderThatLiesOnAnother(long second) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply = arena.allocate(40, Long.BYTES);
      vfio_info_cap_header.next(reply.asSlice(24, HEADER), (int) second);

      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> CapabilityChain.walk(reply, 24, 16, "device"))
          .withMessageContaining("the impossible offset " + second + " after 24");
    }
  }

  @Test
  @Timeout(value = 20, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void theLongestChainThatCanBeIsReadInLinearTime() throws VfioException {
    long[] offsets = LongStream.rangeClosed(1, 1 << 18).map(link -> link * HEADER).toArray();
    try (Arena arena = Arena.ofConfined()) {
      List<CapabilityChain.Link> links =
          CapabilityChain.walk(chain(arena, offsets), HEADER, HEADER, "device");

      assertThat(links).hasSize(1 << 18);
    }
  }
}
