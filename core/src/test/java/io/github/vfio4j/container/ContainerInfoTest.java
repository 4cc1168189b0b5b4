package io.github.vfio4j.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_info_cap_header;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_iova_range;
import io.github.vfio4j.bindings.vfio_iova_range;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a container says of its IOMMU is believed only where it is possible. */
class ContainerInfoTest {
  private static final long CAPABILITY = vfio_iommu_type1_info.SIZEOF;
  private static final long RANGES = CAPABILITY + vfio_iommu_type1_info_cap_iova_range.SIZEOF;

  @TempDir Path root;
  private FakeMachine machine;
  private Container container;

  @BeforeEach
  void openContainer() throws VfioException {
    machine = new FakeMachine(root);
    container = Containers.open(machine.host);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    container.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void tamper(Consumer<MemorySegment> how) {
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.VFIO_IOMMU_GET_INFO) {
            how.accept(reply);
          }
        });
  }

  /** Adds one capability for IOVA ranges, of so many bytes, that claims to have a range. */
  private void tamper(long size, Consumer<MemorySegment> how) {
    tamper(
        reply -> {
          if (reply.byteSize() < CAPABILITY + size) {
            vfio_iommu_type1_info.argsz(reply, (int) (CAPABILITY + size));
            return;
          }
          vfio_iommu_type1_info.flags(
              reply, vfio_h.VFIO_IOMMU_INFO_PGSIZES | vfio_h.VFIO_IOMMU_INFO_CAPS);
          vfio_iommu_type1_info.cap_offset(reply, (int) CAPABILITY);
          vfio_info_cap_header.id(
              reply.asSlice(CAPABILITY, vfio_info_cap_header.SIZEOF),
              (short) vfio_h.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
          how.accept(reply);
        });
  }

  private static void oneRange(MemorySegment reply, long first, long last) {
    vfio_iommu_type1_info_cap_iova_range.nr_iovas(
        reply.asSlice(CAPABILITY, vfio_iommu_type1_info_cap_iova_range.SIZEOF), 1);
    MemorySegment range = reply.asSlice(RANGES, vfio_iova_range.SIZEOF);
    vfio_iova_range.start(range, first);
    vfio_iova_range.end(range, last);
  }

  private void assertRefused(String why) {
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> container.group(FakeMachine.GROUP))
        .withMessageContaining("VFIO_IOMMU_GET_INFO")
        .withMessageContaining(why);
  }

  @Test
  void takesTheRangesOfAWholeCapability() throws VfioException {
    tamper(
        RANGES - CAPABILITY + vfio_iova_range.SIZEOF,
        reply -> oneRange(reply, 0x1000, 0xffff_ffffL));

    container.group(FakeMachine.GROUP);

    assertThat(container.iovaRanges()).containsExactly(new IovaRange(0x1000, 0xffff_ffffL));
  }

  @ParameterizedTest
  @ValueSource(longs = {8, 12})
  void refusesACapabilityThatIsCutOff(long size) {
    tamper(size, reply -> {});

    assertRefused("capability 1 with " + size + " bytes, not 16");
  }

  @Test
  void refusesMoreRangesThanTheCapabilityHolds() {
    tamper(
        RANGES - CAPABILITY,
        reply ->
            vfio_iommu_type1_info_cap_iova_range.nr_iovas(
                reply.asSlice(CAPABILITY, vfio_iommu_type1_info_cap_iova_range.SIZEOF), -1));

    assertRefused("4294967295 ranges in 16 bytes");
  }

  @Test
  void refusesARangeThatEndsBeforeItStarts() {
    tamper(RANGES - CAPABILITY + vfio_iova_range.SIZEOF, reply -> oneRange(reply, 0x2000, 0x1fff));

    assertRefused("a range from 0x2000 to 0x1fff");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, Long.MIN_VALUE})
  void refusesPageSizesOfWhichNoneFits(long pageSizes) {
    tamper(reply -> vfio_iommu_type1_info.iova_pgsizes(reply, pageSizes));

    assertRefused("no page size that fits, but 0x%x".formatted(pageSizes));
  }

  @Test
  void buffersLieOnPagesOfTheIommuThatAreLargerThanThoseOfMemory() throws VfioException {
    long large = 16 << 20;
    tamper(reply -> vfio_iommu_type1_info.iova_pgsizes(reply, large));
    container.group(FakeMachine.GROUP);

    try (DmaBuffer buffer = container.allocate(1)) {
      assertThat(buffer.size()).isEqualTo(large);
      assertThat(buffer.segment().byteSize()).isEqualTo(large);
      assertThat(buffer.segment().address() % large).isZero();
      buffer.segment().fill((byte) 1);
    }
  }

  /** As an iommufd says in compatibility mode, before its first device. */
  @Test
  void aSmallestPageOfOneByteMeansThePagesOfMemory() throws VfioException {
    tamper(reply -> vfio_iommu_type1_info.iova_pgsizes(reply, 1));

    container.group(FakeMachine.GROUP);

    assertThat(container.granule()).isEqualTo(machine.kernel.pageSize());
  }

  @Test
  void refusesAReplyThatIsLongerEachTime() {
    tamper(reply -> vfio_iommu_type1_info.argsz(reply, (int) reply.byteSize() + 1));

    assertRefused("more to say each of 16 times");
  }
}
