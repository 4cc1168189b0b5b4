package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_noiommu_get_pa;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_info_cap_header;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.device.CapabilityChain;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.InvalidationException;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Vevent;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.vtd.VtdHwInfo;
import io.github.vfio4j.vtd.VtdS1PageTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel says is believed only where it is possible. */
class UntrustedReplyTest {
  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  private void tamper(Ioctl with, java.util.function.Consumer<MemorySegment> how) {
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == with) {
            how.accept(reply);
          }
        });
  }

  private void assertOpeningFails(String why) throws VfioException {
    assertThatThrownBy(() -> machine.open(Backend.IOMMUFD))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining(why);
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void refusesMoreRegionsThanThereCanBe() throws VfioException {
    tamper(Ioctl.VFIO_DEVICE_GET_INFO, reply -> vfio_device_info.num_regions(reply, -1));

    assertOpeningFails("4294967295 regions");
  }

  @Test
  void refusesAReplyThatClaimsToBeHuge() throws VfioException {
    tamper(Ioctl.VFIO_DEVICE_GET_INFO, reply -> vfio_device_info.argsz(reply, -1));

    assertOpeningFails("claims 4294967295 bytes");
  }

  @Test
  void refusesMoreRangesThanThereWasRoomFor() throws VfioException {
    tamper(Ioctl.IOMMU_IOAS_IOVA_RANGES, reply -> iommu_ioas_iova_ranges.num_iovas(reply, 0x10000));

    assertOpeningFails("65536 ranges");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3, Long.MIN_VALUE})
  void refusesAnAlignmentThatIsNoPowerOfTwoOrTooLarge(long alignment) throws VfioException {
    tamper(
        Ioctl.IOMMU_IOAS_IOVA_RANGES,
        reply -> iommu_ioas_iova_ranges.out_iova_alignment(reply, alignment));

    assertOpeningFails("alignment " + Long.toUnsignedString(alignment));
  }

  @Test
  void refusesARegionThatWrapsAround() throws VfioException {
    tamper(
        Ioctl.VFIO_DEVICE_GET_REGION_INFO, reply -> vfio_region_info.size(reply, Long.MAX_VALUE));

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatThrownBy(() -> device.region(1))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("0x7fffffffffffffff bytes");
    }
  }

  @Test
  void refusesMoreVectorsThanThereCanBe() throws VfioException {
    tamper(Ioctl.VFIO_DEVICE_GET_IRQ_INFO, reply -> vfio_irq_info.count(reply, -2));

    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertThatThrownBy(() -> device.pci().msi())
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("4294967294 vectors");
    }
  }

  private CdevDevice bound() throws VfioException {
    return (CdevDevice) machine.open(Backend.IOMMUFD);
  }

  @Test
  void refusesADescriptionOfHardwareThatClaimsToBeHuge() throws VfioException {
    tamper(Ioctl.IOMMU_GET_HW_INFO, reply -> iommu_hw_info.data_len(reply, -1));

    try (CdevDevice device = bound()) {
      assertThatThrownBy(device::hwInfo)
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("claims 4294967295 bytes");
    }
  }

  @Test
  void refusesPasidsThatDoNotFit() throws VfioException {
    tamper(Ioctl.IOMMU_GET_HW_INFO, reply -> iommu_hw_info.out_max_pasid_log2(reply, (byte) 32));

    try (CdevDevice device = bound()) {
      assertThatThrownBy(device::hwInfo)
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("PASIDs of 32 bits");
    }
  }

  @Test
  void keepsADescriptionOfHardwareThatIsTooShortAsBytes() throws VfioException {
    tamper(
        Ioctl.IOMMU_GET_HW_INFO,
        reply -> {
          iommu_hw_info.out_data_type(reply, iommufd_h.IOMMU_HW_INFO_TYPE_INTEL_VTD);
          iommu_hw_info.data_len(reply, 8);
        });

    try (CdevDevice device = bound()) {
      assertThat(device.hwInfo().data())
          .satisfies(
              raw -> {
                assertThat(raw.type()).isEqualTo(1);
                assertThat(raw.bytes()).hasSize(8);
                assertThat(VtdHwInfo.of(raw)).isEmpty();
              });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 1 << 20, -1})
  void refusesACountOfInvalidationsThatWereNotAsked(int count) throws VfioException {
    tamper(Ioctl.IOMMU_HWPT_INVALIDATE, reply -> iommu_hwpt_invalidate.entry_num(reply, count));

    try (CdevDevice device = bound()) {
      HwptNested nested =
          device
              .addressSpace()
              .allocateHwpt(device, HwptFlag.NEST_PARENT)
              .allocateNested(device, new VtdS1PageTable(0, 48, 0));
      InvalidationBatch batch = InvalidationBatch.vtdS1(2).addVtdS1(0, 1, false);

      assertThatThrownBy(() -> nested.invalidate(batch))
          .isInstanceOfSatisfying(
              InvalidationException.class, e -> assertThat(e.handled()).isZero())
          .hasMessageContaining(count + " of 1 entries");
    }
  }

  /** They would be error numbers: EPERM, and "not there", if they were answers. */
  @ParameterizedTest
  @MethodSource("lengthsOfMoreThanHalf")
  void takesNoLengthOfWhatWasUnmappedForAnError(Backend backend, long length) throws VfioException {
    try (VfioDevice device = machine.open(backend)) {
      DmaBuffer buffer = device.addressSpace().allocate(4096);
      tamper(
          FakeMachine.unmapOperation(backend),
          reply -> {
            if (backend == Backend.IOMMUFD) {
              iommu_ioas_unmap.length(reply, length);
            } else {
              vfio_iommu_type1_dma_unmap.size(reply, length);
            }
          });

      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(buffer::close)
          .withMessageContaining("the kernel's reply has")
          .withMessageContaining("of 4096 bytes")
          .satisfies(e -> assertThat(e.errno()).isEmpty());
      assertThat(buffer.segment().scope().isAlive()).isTrue();
    }
  }

  static List<Arguments> lengthsOfMoreThanHalf() {
    return Stream.of(Backend.IOMMUFD, Backend.CONTAINER)
        .flatMap(
            backend ->
                Stream.of(-1L, (long) -Errno.ENOENT.number(), Long.MIN_VALUE)
                    .map(length -> Arguments.of(backend, length)))
        .toList();
  }

  @Test
  void refusesAPhysicalRangeLargerThanAskedFor() throws VfioException {
    tamper(
        Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA,
        reply -> iommu_ioas_noiommu_get_pa.length(reply, 1L << 40));

    try (CdevDevice device = bound()) {
      assertThatThrownBy(() -> device.addressSpace().physicalAddress(0, 4096))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("1099511627776 of 4096 bytes");
    }
  }

  @Test
  void refusesAnEventThatIsCutOff() throws VfioException {
    try (CdevDevice device = bound()) {
      VeventQueue events =
          device
              .addressSpace()
              .allocateHwpt(device, HwptFlag.NEST_PARENT)
              .allocateViommu(device, 99)
              .allocateVeventQueue(99, 1, 4);
      machine.kernel.queue(new byte[11]);

      assertThatThrownBy(() -> events.await(Duration.ZERO))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("11 bytes ends within an event of 4");

      machine.kernel.queue(new byte[] {0, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, 9, 0, 0, 0});
      List<Vevent> good = events.await(Duration.ZERO);
      assertThat(good).extracting(Vevent::sequence).containsExactly(5, 9);
      assertThat(good).extracting(Vevent::lostEvents).containsExactly(false, true);
      assertThat(good.getFirst().data()).containsExactly(1, 2, 3, 4);
    }
  }

  @Test
  void refusesHalfAPageFault() throws VfioException {
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      FaultQueue faults = iommufd.allocateFaultQueue();
      machine.kernel.queue(new byte[39]);

      assertThatThrownBy(() -> faults.await(Duration.ZERO))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("39 bytes");
    }
  }

  @Test
  void keepsAnUnknownCapabilityAsBytes() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply = chain(arena, 16, 24, 0);

      List<CapabilityChain.Link> links = CapabilityChain.walk(reply, 16, 16, "test");

      assertThat(links).extracting(CapabilityChain.Link::id).containsExactly(100, 101);
      assertThat(links.getLast().raw().payload()).hasSize(32 - 24 - 8);
    }
  }

  @Test
  void refusesAChainThatTurnsBack() {
    assertThatThrownBy(() -> walk(16, 24, 16)).hasMessageContaining("impossible offset 16");
  }

  @Test
  void refusesAChainThatLeavesTheReply() {
    assertThatThrownBy(() -> walk(16, 28, 0)).hasMessageContaining("impossible offset 28");
    assertThatThrownBy(() -> walk(16, -4, 0)).hasMessageContaining("impossible offset 4294967292");
  }

  @Test
  void refusesAChainThatPointsIntoTheStructure() {
    assertThatThrownBy(() -> walk(8, 0, 0)).hasMessageContaining("impossible offset 8");
  }

  @Test
  void refusesAnUnalignedChain() {
    assertThatThrownBy(() -> walk(18, 0, 0)).hasMessageContaining("impossible offset 18");
  }

  @Test
  void keepsFlagsOfUnknownMeaning() throws VfioException {
    tamper(
        Ioctl.VFIO_DEVICE_GET_INFO,
        reply -> vfio_device_info.flags(reply, vfio_device_info.flags(reply) | 1 << 31));

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThat(device.info().flags()).isEqualTo(1 << 31 | vfio_h.VFIO_DEVICE_FLAGS_PCI);
    }
  }

  private static List<CapabilityChain.Link> walk(int first, int second, int third)
      throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      return CapabilityChain.walk(chain(arena, first, second, third), first, 16, "test");
    }
  }

  /** A reply of 32 bytes: 16 of structure, then room for two capabilities of 8 bytes. */
  private static MemorySegment chain(Arena arena, int first, int second, int third) {
    MemorySegment reply = arena.allocate(32, 8);
    put(reply, first, 100, second);
    put(reply, second, 101, third);
    return reply;
  }

  private static void put(MemorySegment reply, int offset, int id, int next) {
    if (offset > 0 && offset <= 24 && offset % 4 == 0) {
      MemorySegment header = reply.asSlice(offset, vfio_info_cap_header.SIZEOF);
      vfio_info_cap_header.id(header, (short) id);
      vfio_info_cap_header.version(header, (short) 1);
      vfio_info_cap_header.next(header, next);
    }
  }
}
