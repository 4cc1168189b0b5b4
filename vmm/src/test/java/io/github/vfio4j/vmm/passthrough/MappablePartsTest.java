package io.github.vfio4j.vmm.passthrough;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionCapability.SparseMmap;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.config.MsixCapability;
import io.github.vfio4j.vmm.passthrough.MappableParts.Part;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MappablePartsTest {
  private static final int ALL = 7; // readable, writable, mappable

  private static RegionInfo region(long size, RegionCapability... capabilities) {
    return new RegionInfo(0, ALL, size, 0, List.of(capabilities));
  }

  private static Optional<MsixCapability> table(int bar, long offset, int vectors) {
    return Optional.of(new MsixCapability(0x40, vectors, false, false, bar, offset, bar, 0x3000));
  }

  @Test
  void wholeRegionIsOnePart() {
    assertThat(MappableParts.of(0, region(0x4000), Optional.empty()))
        .containsExactly(new Part(0, 0x4000));
    assertThat(MappableParts.of(0, region(0x4000), table(1, 0, 8)))
        .containsExactly(new Part(0, 0x4000));
  }

  @Test
  void pagesOfTheTableAreLeftOut() {
    assertThat(MappableParts.of(0, region(0x4000), table(0, 0x1800, 0x81)))
        .containsExactly(new Part(0, 0x1000), new Part(0x3000, 0x1000));
    assertThat(MappableParts.of(0, region(0x4000), table(0, 0, 1)))
        .containsExactly(new Part(0x1000, 0x3000));
    assertThat(MappableParts.of(0, region(0x1000), table(0, 0x800, 4))).isEmpty();
  }

  @Test
  void onlyWholePagesOfWhatCanBeMappedAreParts() {
    SparseMmap areas =
        new SparseMmap(
            List.of(new SparseMmap.Area(0, 0x1000), new SparseMmap.Area(0x3000, 0x1000)));
    assertThat(MappableParts.of(0, region(0x4000, areas), table(0, 0x3000, 1)))
        .containsExactly(new Part(0, 0x1000));
    assertThat(MappableParts.of(0, region(0x80), Optional.empty())).isEmpty();
    assertThat(MappableParts.of(0, new RegionInfo(0, 3, 0x4000, 0, List.of()), Optional.empty()))
        .isEmpty();
  }
}
