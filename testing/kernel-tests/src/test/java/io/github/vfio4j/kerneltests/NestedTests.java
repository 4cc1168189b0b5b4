package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Vdevice;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.smmuv3.PageFlag;
import io.github.vfio4j.smmuv3.Stage1Tables;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What tests with an edu in a guest of an SMMUv3 have in common. */
abstract class NestedTests extends EduTests {
  /** The guest's number of the device. */
  static final long STREAM = 0x8765_4321L;

  /** An input address that the guest has not mapped at first. */
  static final long INPUT = 0x12_3456_7000L;

  SmmuGuest guest;
  CdevDevice device;
  Viommu viommu;
  Vdevice vdevice;
  Stage1Tables tables;
  Edu edu;

  /** Attaches the device to the guest's page tables. */
  @BeforeEach
  void start() throws VfioException {
    guest = SmmuGuest.start(Machine.EDU);
    device = guest.device();
    viommu = guest.viommu();
    tables = guest.tables();
    try {
      vdevice = viommu.allocateVdevice(device, STREAM);
      device.attach(guest.nested());
      edu = Edu.start(device);
    } catch (VfioException | RuntimeException e) {
      guest.close();
      throw e;
    }
  }

  @AfterEach
  void end() throws VfioException {
    try (SmmuGuest _ = guest) {
      edu.close();
    }
  }

  /** Maps one page of data. */
  void map(long input, int page, PageFlag... flags) {
    tables.map(input, SmmuGuest.pageAddress(page), PAGE, flags);
  }

  /**
   * Asserts that the device reads these bytes there, by having it write them where they are seen.
   */
  void assertReads(long input, MemorySegment expected) throws VfioException {
    assertReads(edu, input, expected);
  }

  void assertReads(Edu reader, long input, MemorySegment expected) throws VfioException {
    guest.received().fill((byte) 0);
    EduDma.move(reader, input, SmmuGuest.RECEIVED);
    assertThat(guest.received().mismatch(expected)).isEqualTo(-1);
  }
}
