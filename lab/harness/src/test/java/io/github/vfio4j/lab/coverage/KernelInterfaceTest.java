package io.github.vfio4j.lab.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Nothing of the headers is forgotten. */
class KernelInterfaceTest {
  private static final KernelInterface IOMMUFD = KernelInterface.all().getFirst();
  private static final KernelInterface VFIO = KernelInterface.all().getLast();

  private static List<String> operations(KernelInterface header) {
    return header.rows().stream()
        .filter(row -> row.constant().isEmpty())
        .map(Row::operation)
        .toList();
  }

  /** A new constant needs a rule in Rules: with what it is used, and how a call shows it. */
  @Test
  void everyConstantOfIommufdBelongsToAnOperation() {
    assertThat(IOMMUFD.unclassified()).isEmpty();
  }

  @Test
  void everyFeatureOfVfioIsARow() {
    assertThat(VFIO.unclassified())
        .filteredOn(name -> name.startsWith("VFIO_DEVICE_FEATURE_"))
        .containsExactly("VFIO_DEVICE_FEATURE_MASK");
  }

  @Test
  void everyIoctlIsARow() {
    assertThat(operations(IOMMUFD))
        .contains("IOMMU_DESTROY", "IOMMU_OPTION", "IOMMU_HW_QUEUE_ALLOC", "read of a fault queue")
        .hasSize(22 + 3);
    assertThat(operations(VFIO))
        .contains("VFIO_GET_API_VERSION", "VFIO_DEVICE_FEATURE", "VFIO_MIG_GET_PRECOPY_INFO");
  }

  @Test
  void rowsAreTold() {
    for (KernelInterface header : KernelInterface.all()) {
      assertThat(header.rows()).extracting(Row::key).doesNotHaveDuplicates();
    }
  }

  @Test
  void reasonsAreForRows() {
    Set<String> rows =
        KernelInterface.all().stream()
            .flatMap(header -> header.rows().stream())
            .map(Row::name)
            .collect(Collectors.toSet());

    assertThat(Reasons.ofLab().names()).isSubsetOf(rows).doesNotHaveDuplicates();
  }

  @Test
  void whatTheLibraryDoesNotIssueIsSaidToBeSo() throws ClassNotFoundException {
    // internal to the library, so it is no type to compile against
    Set<String> issued =
        Arrays.stream(Class.forName("io.github.vfio4j.linux.Ioctl").getEnumConstants())
            .map(constant -> ((Enum<?>) constant).name())
            .collect(Collectors.toSet());
    Reasons reasons = Reasons.ofLab();

    for (Row row : VFIO.rows()) {
      if (row.constant().isEmpty()) {
        assertThat(reasons.of(row).isPresent())
            .as(row.name())
            .isEqualTo(!issued.contains(row.name()));
      }
    }
  }
}
