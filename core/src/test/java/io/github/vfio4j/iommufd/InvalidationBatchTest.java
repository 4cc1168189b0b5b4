package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.bindings.iommufd_h;
import org.junit.jupiter.api.Test;

class InvalidationBatchTest {

  @Test
  void entriesOfAnotherSizeAreRefusedWhateverTheTypeSays() {
    int vtd = iommufd_h.IOMMU_HWPT_INVALIDATE_DATA_VTD_S1;
    int arm = iommufd_h.IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3;
    for (int size : new int[] {1, 4, 15, 23, 40}) {
      assertThatIllegalStateException()
          .isThrownBy(() -> InvalidationBatch.raw(vtd, size, 2).addVtdS1(0, -1, false))
          .withMessageContaining(size + " bytes");
      assertThatIllegalStateException()
          .isThrownBy(() -> InvalidationBatch.raw(arm, size, 2).addArmSmmuv3(0, 0))
          .withMessageContaining(size + " bytes");
    }
    assertThat(InvalidationBatch.raw(vtd, 24, 2).addVtdS1(0, -1, false).size()).isEqualTo(1);
    assertThat(InvalidationBatch.raw(arm, 16, 2).addArmSmmuv3(0, 0).size()).isEqualTo(1);
  }

  @Test
  void aBatchHasRoomForAtLeastOneEntryAndAtMostOneMebibyte() {
    assertThatIllegalArgumentException().isThrownBy(() -> InvalidationBatch.vtdS1(0));
    assertThatIllegalArgumentException().isThrownBy(() -> InvalidationBatch.armSmmuv3(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> InvalidationBatch.armSmmuv3(65537));
    assertThat(InvalidationBatch.armSmmuv3(65536).capacity()).isEqualTo(65536);
  }
}
