package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A device goes from one IOAS to another, to none, and back. */
@OnMachine(value = OnMachine.IOMMU, since = "6.6")
class AttachTest extends EduTests {
  @Test
  void deviceSeesTheMemoryOfTheAddressSpaceThatReplacedAnother() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas first = iommufd.allocateIoas();
      Ioas second = iommufd.allocateIoas();
      MemorySegment source = EduDma.page(arena, 1);
      MemorySegment untouched = EduDma.page(arena, 2);
      MemorySegment target = EduDma.page(arena, 3);
      first.map(source, IOVA, READ_WRITE);
      first.map(untouched, IOVA + PAGE, READ_WRITE);
      second.map(target, IOVA + PAGE, READ_WRITE);
      CdevDevice device = edu(iommufd);
      device.attach(first);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);

        device.attach(second);
        assertThat(device.addressSpace()).isSameAs(second);
        EduDma.fromDevice(edu, IOVA + PAGE);

        first.close(); // nothing uses it any more
      }

      assertThat(target.mismatch(source)).isEqualTo(-1);
      assertThat(untouched.mismatch(EduDma.page(arena, 2))).isEqualTo(-1);
    }
  }

  @Test
  void detachedDeviceReachesNothingUntilItIsAttachedAgain() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment memory = EduDma.page(arena, 4);
      ioas.map(memory, IOVA, READ_WRITE);
      CdevDevice device = edu(iommufd);
      assertThatIllegalStateException()
          .isThrownBy(device::addressSpace)
          .withMessageContaining("attached to no IO address space");
      device.attach(ioas);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);

        device.detach();
        device.detach();
        assertThatIllegalStateException().isThrownBy(device::addressSpace);
        if (Machine.translatesInterrupts()) {
          assertThatThrownBy(() -> EduDma.fromDevice(edu, IOVA))
              .hasMessageContaining("no interrupt");
        } else {
          EduDma.fromDevice(edu, IOVA);
        }
        assertThat(memory.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);

        device.attach(ioas);
        EduDma.fromDevice(edu, IOVA);
        assertThat(memory.mismatch(EduDma.page(arena, 4))).isEqualTo(-1);
      }
    }
  }

  @Test
  void addressSpaceInUseCannotBeClosedAndStaysUsable() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment memory = EduDma.page(arena, 5);
      CdevDevice device = edu(iommufd);
      device.attach(ioas);

      assertThatThrownBy(ioas::close)
          .isInstanceOfSatisfying(
              DeviceBusyException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_DESTROY");
                assertThat(e.object()).isEqualTo("IOAS " + ioas.id());
                assertThat(e.errno()).contains(Errno.EBUSY);
              });
      ioas.map(memory, IOVA, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }

      assertThat(memory.mismatch(EduDma.page(arena, 5))).isEqualTo(-1);
      device.detach();
      ioas.close();
    }
  }

  @Test
  void addressSpaceMappedInADevicesReservedWindowIsRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas good = iommufd.allocateIoas();
      Ioas bad = iommufd.allocateIoas();
      MemorySegment memory = EduDma.pages(arena, 1);
      long reserved = Machine.interruptWindow().first();
      bad.map(memory, reserved, READ_WRITE);
      CdevDevice device = edu(iommufd);

      assertThatThrownBy(() -> device.attach(bad))
          .isInstanceOf(IovaInUseException.class)
          .hasMessageContaining("reserved");
      assertThatIllegalStateException().isThrownBy(device::addressSpace);

      device.attach(good);
      assertThatThrownBy(() -> device.attach(bad)).isInstanceOf(IovaInUseException.class);
      assertThat(device.addressSpace()).isSameAs(good);
      bad.unmap(reserved, PAGE);
      device.attach(bad);
      assertThat(device.addressSpace()).isSameAs(bad);
    }
  }

  @Test
  void addressSpaceOfAnotherIommufdIsRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Iommufd other = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = other.allocateIoas();

      assertThatIllegalArgumentException()
          .isThrownBy(() -> device.attach(ioas))
          .withMessageContaining("another iommufd");
    }
  }

  @Test
  void closedAddressSpaceIsRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      Ioas gone = iommufd.allocateIoas();
      gone.close();
      device.attach(ioas);

      assertThatIllegalStateException().isThrownBy(() -> device.attach(gone));
      assertThat(device.addressSpace()).isSameAs(ioas);
    }
  }
}
