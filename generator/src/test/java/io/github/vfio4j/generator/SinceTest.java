package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class SinceTest {

  private static final List<String> TABLE =
      List.of("# comment", "6.2 IOMMU_DESTROY", "  IOMMU_OPTION iommu_option # more", "", "6.6 B");

  @Test
  void readsNamesOfSeveralLines() {
    Since since = Since.of(TABLE);
    assertThat(since.clause("IOMMU_DESTROY")).isEqualTo(", since Linux 6.2");
    assertThat(since.clause("iommu_option")).isEqualTo(", since Linux 6.2");
    assertThat(since.clause("B")).isEqualTo(", since Linux 6.6");
  }

  @Test
  void saysNothingOfWhatItDoesNotKnow() {
    assertThat(Since.of(TABLE).clause("more")).isEmpty();
  }

  @Test
  void tellsWhichNamesNobodyAskedFor() {
    Since since = Since.of(TABLE);
    assertThat(since.clause("IOMMU_DESTROY")).isNotEmpty();
    assertThat(since.unused()).containsExactly("B", "IOMMU_OPTION", "iommu_option");
  }

  @Test
  void refusesANameWithTwoKernels() {
    assertThatThrownBy(() -> Since.of(List.of("6.2 A", "6.3 A")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("A");
  }
}
