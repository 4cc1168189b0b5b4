package io.github.vfio4j.lab.coverage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CoverageTableTest {
  private static final List<Row> ROWS =
      KernelInterface.all().stream().flatMap(header -> header.rows().stream()).toList();

  @TempDir Path guests;

  private void guest(String kernel, String machine, String... lines) throws IOException {
    Path guest = Files.createDirectory(guests.resolve(kernel + "-" + machine.replace('/', '-')));
    Files.writeString(
        guest.resolve("environment"),
        "export LAB_MACHINE=%s LAB_KERNEL=%s LAB_RESULTS=/run/lab%n".formatted(machine, kernel));
    Files.write(guest.resolve("ioctls"), List.of(lines));
  }

  private CoverageTable table(String... reasons) throws IOException {
    return new CoverageTable(
        KernelInterface.all(), Column.all(guests, ROWS), Reasons.parse(List.of(reasons)));
  }

  /** The counts of the first machine, as operation, constant and number. */
  private List<String> counts(String... lines) throws IOException {
    guest("7.3", "intel/scalable", lines);
    Column column = Column.all(guests, ROWS).getFirst();
    List<String> counts = new ArrayList<>();
    for (Row row : ROWS) {
      if (column.count(row) > 0) {
        counts.add((row.key().strip() + " " + column.count(row)));
      }
    }
    return counts;
  }

  @Test
  void callsAreCountedByWhatTheyUse() throws IOException {
    assertThat(
            counts(
                "0x3b85 0 2800000007000000 = /dev/iommu",
                "0x3b85 0 2800000006000000 = /dev/iommu",
                "0x3b85 -22 2800000007000000 = /dev/iommu",
                "0x3b88 0 0c0000000100000000000000 0c0000000100000001000000 /dev/iommu"))
        .containsExactly(
            "IOMMU_IOAS_MAP 2",
            "IOMMU_IOAS_MAP IOMMU_IOAS_MAP_FIXED_IOVA 1",
            "IOMMU_IOAS_MAP IOMMU_IOAS_MAP_WRITEABLE 2",
            "IOMMU_IOAS_MAP IOMMU_IOAS_MAP_READABLE 2",
            "IOMMU_VFIO_IOAS 1",
            "IOMMU_VFIO_IOAS IOMMU_VFIO_IOAS_GET 1");
  }

  @Test
  void whatTheKernelWritesIsReadFromTheReply() throws IOException {
    String asked = "28000000 00000000 01000000 00010000 0000000000000000 00000000 00000000 ";
    String told = "28000000 00000000 01000000 10000000 0000000000000000 01000000 14000000 ";
    String line =
        "0x3b8a 0 "
            + (asked + "0000000000000000").replace(" ", "")
            + " "
            + (told + "0500000000000000").replace(" ", "")
            + " /dev/iommu";

    assertThat(counts(line))
        .containsExactly(
            "IOMMU_GET_HW_INFO 1",
            "IOMMU_GET_HW_INFO IOMMU_HW_INFO_TYPE_DEFAULT 1",
            "IOMMU_GET_HW_INFO IOMMU_HW_INFO_TYPE_INTEL_VTD 1",
            "IOMMU_GET_HW_INFO IOMMU_HW_CAP_DIRTY_TRACKING 1",
            "IOMMU_GET_HW_INFO IOMMU_HW_CAP_PCI_PASID_PRIV 1");
  }

  @Test
  void sameNumberMeansAnotherOperationOnAnotherFile() throws IOException {
    assertThat(
            counts(
                "0x3b70 0 1000000000000000 = /dev/vfio/vfio",
                "0x3b70 0 1000000000000000 = /dev/iommu",
                "0x3b70 0 1000000000000000 = /dev/vfio/devices/vfio0",
                "0x3b70 0 1000000000000000 = anon_inode:[vfio-device]",
                "0x3b70 0 1000000000000000 = /dev/vfio/7",
                "0x3b67 0 0800000000000000 = /dev/vfio/7",
                "0x3b79 0 0800000000000000 = anon_inode:mtty_mig",
                "0x3b65 1 int:3 - /dev/vfio/vfio"))
        .containsExactly(
            "VFIO_CHECK_EXTENSION 1",
            "VFIO_GROUP_GET_STATUS 1",
            "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO 2",
            "VFIO_MIG_GET_PRECOPY_INFO 1",
            "VFIO_IOMMU_GET_INFO 2");
  }

  @Test
  void probedFeatureIsNotExercised() throws IOException {
    assertThat(
            counts(
                "0x3b75 0 0800000001000700 = /dev/vfio/devices/vfio0",
                "0x3b75 0 080000000b000100 = /dev/vfio/devices/vfio0",
                "0x3b75 0 0c0000000a00020001000000 = /dev/vfio/devices/vfio0"))
        .containsExactly(
            "VFIO_DEVICE_FEATURE 3",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_GET 2",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_SET 2",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_PROBE 1",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_BUS_MASTER 1",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_DMA_BUF 1",
            "VFIO_DEVICE_FEATURE VFIO_DEVICE_FEATURE_SET_MASTER 1");
  }

  @Test
  void messagesOfQueuesAreCounted() throws IOException {
    String fault = "%02x00000001000000000000000000000003000000".formatted(2) + "00".repeat(20);
    String second = "%02x00000001000000000000000000000008000000".formatted(1) + "00".repeat(20);

    assertThat(
            counts(
                "read 80 - " + fault + second + " anon_inode:[iommufd-pgfault]",
                "write 8 0100000001000000 - anon_inode:[iommufd-pgfault]",
                "read 48 - 0000000000000000"
                    + "ff".repeat(32)
                    + "0100000005000000"
                    + " anon_inode:[iommufd-viommu-event]",
                "read 40 - 0000000000000000"
                    + "ff".repeat(32)
                    + " anon_inode:[iommufd-viommu-event]"))
        .containsExactly(
            "read of a fault queue 1",
            "read of a fault queue IOMMU_PGFAULT_FLAGS_PASID_VALID 1",
            "read of a fault queue IOMMU_PGFAULT_FLAGS_LAST_PAGE 1",
            "read of a fault queue IOMMU_PGFAULT_PERM_READ 1",
            "read of a fault queue IOMMU_PGFAULT_PERM_WRITE 1",
            "read of a fault queue IOMMU_PGFAULT_PERM_PRIV 1",
            "write to a fault queue 1",
            "write to a fault queue IOMMUFD_PAGE_RESP_INVALID 1",
            "read of an event queue 2",
            "read of an event queue IOMMU_VEVENTQ_FLAG_LOST_EVENTS 1");
  }

  @Test
  void columnsAreTheMachinesTheNewestKernelFirst() throws IOException {
    guest("6.12", "intel/scalable");
    guest("7.3", "intel/first-stage", "0x3b80 0 0800000001000000 = /dev/iommu");
    guest("7.3", "bare");
    Files.createDirectory(guests.resolve("training"));

    assertThat(table().lines(true))
        .contains("| | 7.3 bare | 7.3 intel/first-stage | 6.12 intel/scalable | why not |")
        .contains("| **IOMMU_DESTROY** | | 1 | | |")
        .contains("| **IOMMU_IOAS_ALLOC** | | | | **not exercised, and nobody says why** |");
  }

  @Test
  void writtenTableIsReadBack() throws IOException {
    guest(
        "7.3",
        "bare",
        "0x3b85 0 2800000006000000 = /dev/iommu",
        "0x3b80 0 0800000001000000 = /dev/iommu");

    assertThat(CoverageTable.exercised(table("because 4", "  IOMMU_IOAS_ALLOC").lines(true)))
        .containsExactlyInAnyOrder(
            "IOMMU_DESTROY ",
            "IOMMU_IOAS_MAP ",
            "IOMMU_IOAS_MAP IOMMU_IOAS_MAP_WRITEABLE",
            "IOMMU_IOAS_MAP IOMMU_IOAS_MAP_READABLE");
  }

  @Test
  void everyUnexercisedRowNeedsAReason() throws IOException {
    guest("7.3", "bare", "0x3b80 0 0800000001000000 = /dev/iommu");

    List<String> complaints = table("because", "  IOMMU_IOAS_ALLOC").complaints(List.of());

    assertThat(complaints)
        .hasSize(ROWS.size() - 2)
        .contains(
            "coverage: no machine exercises IOMMU_OPTION, and reasons.txt does not say why",
            "coverage: no machine exercises IOMMU_IOAS_MAP_READABLE of IOMMU_IOAS_COPY, and"
                + " reasons.txt does not say why")
        .noneMatch(complaint -> complaint.contains("IOMMU_DESTROY"))
        .noneMatch(complaint -> complaint.contains("IOMMU_IOAS_ALLOC"));
  }

  @Test
  void reasonAgainstTheFactsIsWrong() throws IOException {
    guest("7.3", "bare", "0x3b80 0 0800000001000000 = /dev/iommu");

    assertThat(table("because", "  IOMMU_DESTROY").complaints(List.of()))
        .contains("coverage: IOMMU_DESTROY is exercised, and reasons.txt says why not");
  }

  @Test
  void coverageIsNotLostUnseen() throws IOException {
    guest("7.3", "bare", "0x3b80 0 0800000001000000 = /dev/iommu");
    List<String> before = table().lines(true);
    Files.writeString(guests.resolve("7.3-bare/ioctls"), "");

    assertThat(table("because", "  IOMMU_DESTROY").complaints(before))
        .contains("coverage lost: no machine exercises IOMMU_DESTROY any more");
  }

  @Test
  void lineThatIsCutOffIsNoCall() {
    assertThatIllegalArgumentException().isThrownBy(() -> new TracedCall("0x3b80 0 08"));
  }
}
