package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.InvalidationException;
import io.github.vfio4j.iommufd.PageFault;
import io.github.vfio4j.iommufd.PageResponse;
import io.github.vfio4j.iommufd.Vdevice;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Virtual IOMMUs, and the devices, page tables and registers that they have. */
@OnMachine(value = "bare", since = "7.0")
class ViommuTest {
  private static final int CACHED = 0xbadbeef;
  private static final int ENTRIES = 4;
  private static final int NO_FLAG = 0;
  private static final int WRONG_FLAG = 1 << 31;
  private static final int NUMBER = 0x99;

  private VirtualMachine guest;

  @BeforeEach
  void start() throws VfioException {
    guest = VirtualMachine.start();
  }

  @AfterEach
  void end() throws VfioException {
    guest.close();
  }

  @Test
  void endsWithItsIommufd() throws IOException {
    guest.nested();
    guest.close();

    assertThatIllegalStateException().isThrownBy(guest::nested);
  }

  @Test
  void isMadeOnAParentOfNestingAndHoldsIt() throws IOException {
    MockDevice device = guest.device();
    HwptPaging parent = guest.viommu().parent();
    HwptNested nested = guest.nested();
    HwptPaging noParent = guest.space().ioas().allocateHwpt(device);
    VfioException wrongParent =
        assertRefused(
            VfioException.class,
            Errno.EINVAL,
            () -> noParent.allocateViommu(device, MockData.VIOMMU));
    assertThat(wrongParent).hasMessageContaining("made without NEST_PARENT");
    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> parent.allocateViommu(device, 0xdead));
    noParent.close();
    assertRefused(Errno.ENOENT, () -> device.replace(noParent));
    assertThatIllegalStateException()
        .isThrownBy(() -> noParent.allocateViommu(device, MockData.VIOMMU));

    guest.viommu().allocateVdevice(device, NUMBER);
    device.replace(nested);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, guest.viommu()::close);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, parent::close);
    HwptNested another = guest.nested();
    device.replace(another);
    device.replace(guest.space().ioas());
    parent.close();
    assertThatIllegalStateException().isThrownBy(guest::nested);
  }

  @Test
  void devicesOfAnotherIommufdAreRefused() throws IOException {
    try (MockSpace foreign = MockSpace.open(1)) {
      MockDevice device = foreign.device();
      Viommu viommu = guest.viommu();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> viommu.parent().allocateViommu(device, MockData.VIOMMU));
      assertThatIllegalArgumentException().isThrownBy(() -> viommu.allocateVdevice(device, NUMBER));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> viommu.allocateNested(device, MockData.nested(CACHED)));
    }
  }

  @Test
  void deviceNeedsANumberBeforeItsFaultsArrive() throws IOException {
    MockDevice device = guest.device();
    FaultQueue faults = guest.space().iommufd().allocateFaultQueue();
    HwptNested table = guest.viommu().allocateNested(device, MockData.nested(CACHED), faults);
    assertRefused(Errno.ENOENT, () -> device.replace(table));

    guest.viommu().allocateVdevice(device, NUMBER);
    device.replace(table);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, table::close);
    device.requestPage(1, 2, 3, 0xdeadbeefL);

    List<PageFault> arrived = faults.await(Duration.ofSeconds(60));
    assertThat(arrived).hasSize(1);
    PageFault fault = arrived.getFirst();
    assertThat(fault.deviceId()).isEqualTo(device.id());
    assertThat(fault.pasid()).hasValue(1);
    assertThat(fault.address()).isEqualTo(0xdeadbeefL);
    faults.respond(fault, PageResponse.SUCCESS);
    device.replace(guest.space().ioas());
    table.close();
    faults.close();
  }

  @Test
  void registersAreMappedAsTheKernelGaveThem() throws IOException {
    Viommu viommu =
        guest
            .viommu()
            .parent()
            .allocateViommu(guest.device(), MockData.VIOMMU, MockData.viommu(0xbeef));
    ByteBuffer data = ByteBuffer.wrap(viommu.data()).order(LITTLE_ENDIAN);
    assertThat(data.getInt(4)).isEqualTo(0xbeef);
    long offset = data.getLong(8);
    long length = data.getLong(16);
    assertThat(length).isEqualTo(2 * PAGE);
    assertNotMapped(viommu, offset + PAGE, length);
    assertNotMapped(viommu, offset + 2 * PAGE, length);
    assertNotMapped(viommu, offset, length / 2);
    assertNotMapped(viommu, offset, length * 2);
    assertThatIllegalArgumentException().isThrownBy(() -> viommu.map(offset, length - 1));
    assertThatIllegalArgumentException().isThrownBy(() -> viommu.map(offset, 0));

    MappedRegion registers = viommu.map(offset, length);
    MappedRegion again = viommu.map(offset, length);
    assertThat(registers.getInt(0)).isEqualTo(0xbeef);
    registers.setInt(PAGE, 0x1234);
    assertThat(again.getInt(PAGE)).isEqualTo(0x1234);
    again.close();
    assertThat(registers.getInt(PAGE)).isEqualTo(0x1234);

    viommu.close(); // with what is mapped of it, which would keep it busy
    assertThatIllegalStateException().isThrownBy(() -> registers.getInt(0));
    assertThatIllegalStateException().isThrownBy(() -> viommu.map(offset, length));
  }

  private static void assertNotMapped(Viommu viommu, long offset, long length) {
    assertRefused(NoSuchDeviceException.class, Errno.ENXIO, () -> viommu.map(offset, length));
  }

  private void assertCached(int... entries) throws VfioException {
    for (int i = 0; i < ENTRIES; i++) {
      assertThat(guest.device().cached(i, entries[i])).as("entry %d", i).isTrue();
    }
  }

  @Test
  void invalidationReachesTheDeviceOfTheGuestsNumber() throws IOException {
    int first = MockDevice.CACHE_AT_FIRST;
    Viommu viommu = guest.viommu();
    Vdevice vdevice = viommu.allocateVdevice(guest.device(), NUMBER);
    viommu.invalidate(MockData.ofDevices()); // asks whether there is such an invalidation
    assertNothingHandled(viommu, Errno.EINVAL, NestedTest.zeroes(MockData.INVALIDATION + 1, 12));
    assertNothingHandled(viommu, Errno.EINVAL, NestedTest.zeroes(MockData.INVALIDATION, 1));
    assertNothingHandled(viommu, Errno.EINVAL, NestedTest.zeroes(MockData.INVALIDATION, 13));
    assertNothingHandled(viommu, Errno.EINVAL, MockData.ofDevices(NO_FLAG, NUMBER, ENTRIES));
    assertNothingHandled(viommu, Errno.EINVAL, MockData.ofDevices(NO_FLAG, 0x9, 0));
    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> viommu.invalidate(MockData.ofDevices(WRONG_FLAG, NUMBER, 0)));
    assertCached(first, first, first, first);

    InvalidationException flag =
        assertRefused(
            InvalidationException.class,
            Errno.EOPNOTSUPP,
            () -> viommu.invalidate(MockData.ofDevices(NO_FLAG, NUMBER, 0, WRONG_FLAG, NUMBER, 1)));
    assertThat(flag.handled()).isEqualTo(1);
    assertCached(0, first, first, first);
    InvalidationException entry =
        assertRefused(
            InvalidationException.class,
            Errno.EINVAL,
            () ->
                viommu.invalidate(
                    MockData.ofDevices(
                        NO_FLAG, NUMBER, 0, NO_FLAG, NUMBER, 1, NO_FLAG, NUMBER, ENTRIES)));
    assertThat(entry.handled()).isEqualTo(2);
    assertCached(0, 0, first, first);
    viommu.invalidate(MockData.ofDevices(NO_FLAG, NUMBER, 3));
    assertCached(0, 0, first, 0);
    viommu.invalidate(MockData.ofDevices(MockData.ALL, NUMBER, 0));
    assertCached(0, 0, 0, 0);
    vdevice.close();
    assertNothingHandled(viommu, Errno.EINVAL, MockData.ofDevices(MockData.ALL, NUMBER, 0));
  }

  private static void assertNothingHandled(Viommu viommu, Errno errno, InvalidationBatch batch) {
    InvalidationException refusal =
        assertRefused(InvalidationException.class, errno, () -> viommu.invalidate(batch));
    assertThat(refusal.handled()).isZero();
  }

  @Test
  void numbersOfTheGuestAreUnique() throws IOException {
    Viommu viommu = guest.viommu();
    Vdevice vdevice = viommu.allocateVdevice(guest.device(), NUMBER);
    assertThat(vdevice.virtualId()).isEqualTo(NUMBER);
    MockDevice other = MockDevice.attach(guest.space().mock(), guest.space().ioas());

    assertRefused(Errno.EEXIST, () -> viommu.allocateVdevice(guest.device(), NUMBER));
    assertRefused(Errno.EEXIST, () -> viommu.allocateVdevice(guest.device(), NUMBER + 1));
    assertRefused(Errno.EEXIST, () -> viommu.allocateVdevice(other, NUMBER));
    viommu.allocateVdevice(other, NUMBER + 1);
    vdevice.close();
    viommu.allocateVdevice(guest.device(), NUMBER).close();
  }

  @Test
  void virtualDeviceEndsWithItsDevice() throws IOException {
    Vdevice vdevice = guest.viommu().allocateVdevice(guest.device(), NUMBER);
    guest.device().close();

    vdevice.close();
    vdevice.close();

    MockDevice other = MockDevice.attach(guest.space().mock(), guest.space().ioas());
    guest.viommu().allocateVdevice(other, NUMBER).close();
    guest.viommu().close();
  }
}
