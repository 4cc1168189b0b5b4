package io.github.vfio4j.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_iova_range;
import io.github.vfio4j.bindings.vfio_iova_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

class CapabilityChainTest {
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
}
