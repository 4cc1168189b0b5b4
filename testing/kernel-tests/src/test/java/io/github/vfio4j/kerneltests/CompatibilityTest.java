package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.GroupDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The legacy interface runs on an iommufd, beside the new one. */
@OnMachine(value = "intel", since = "6.6")
class CompatibilityTest extends EduTests {
  private static final IovaRange INTERRUPT_WINDOW = new IovaRange(0xfee00000L, 0xfeefffffL);

  private static Container container(Iommufd iommufd) throws VfioException {
    return Container.open(iommufd, Container.Type.TYPE1V2);
  }

  @Test
  void compatibilityIoasIsChosenAndCleared() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Iommufd other = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      Ioas stranger = other.allocateIoas();
      Ioas gone = iommufd.allocateIoas();
      gone.close();
      assertThat(iommufd.compatibilityIoas()).isEmpty();

      iommufd.setCompatibilityIoas(ioas);
      assertThat(iommufd.compatibilityIoas()).containsSame(ioas);
      assertThatIllegalArgumentException().isThrownBy(() -> iommufd.setCompatibilityIoas(stranger));
      assertThatIllegalStateException().isThrownBy(() -> iommufd.setCompatibilityIoas(gone));
      assertThat(iommufd.compatibilityIoas()).containsSame(ioas);

      iommufd.clearCompatibilityIoas();
      iommufd.clearCompatibilityIoas();
      assertThat(iommufd.compatibilityIoas()).isEmpty();
      iommufd.setCompatibilityIoas(ioas);
      ioas.close();
      assertThat(iommufd.compatibilityIoas()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"TYPE1V2", "TYPE1"})
  void driverRunsOnTheLegacyInterface(Container.Type type) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        Container container = Container.open(iommufd, type)) {
      assertThat(iommufd.compatibilityIoas()).isEmpty();
      assertThat(container.type()).isEqualTo(type);
      assertThat(container.backend()).isEqualTo(Backend.CONTAINER);
      MemorySegment received = EduDma.page(arena, 2);
      var device = (GroupDevice) VfioDevice.open(Machine.EDU, container);
      assertThat(device.addressSpace()).isSameAs(container);
      try (Edu edu = Edu.start(device);
          DmaBuffer buffer = container.allocate(PAGE)) {
        EduDma.fill(buffer.segment(), 1);
        container.map(received, 0x8000000, READ_WRITE);
        assertThat(LockedMemory.bytes()).isEqualTo(2 * PAGE);

        EduDma.move(edu, buffer.iova(), 0x8000000);
        assertThat(received.mismatch(buffer.segment())).isEqualTo(-1);

        received.fill((byte) 0);
        container.unmap(0x8000000, PAGE);
        EduDma.fromDevice(edu, 0x8000000);
        assertThat(received.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);
      }
    }
  }

  /** Only the opening of the device tells the iommufd which ranges it reserves. */
  @Test
  void rangesLeaveOutWhatTheDeviceReserves() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Container container = container(iommufd)) {
      VfioDevice.open(Machine.EDU, container);

      assertThat(container.iovaRanges())
          .isNotEmpty()
          .noneMatch(range -> range.overlaps(INTERRUPT_WINDOW));
    }
  }

  @Test
  void bothInterfacesSeeTheSameMappings() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        Container container = container(iommufd)) {
      MemorySegment shared = EduDma.page(arena, 1);
      MemorySegment result = EduDma.page(arena, 2);
      VfioDevice legacy = VfioDevice.open(Machine.EDU, container);
      container.map(shared, IOVA, READ_WRITE);
      Ioas ioas = iommufd.compatibilityIoas().orElseThrow();
      assertThat(iommufd.compatibilityIoas()).containsSame(ioas);
      ioas.map(result, IOVA + PAGE, READ_WRITE);
      CdevDevice modern = device(Machine.EDU_2, iommufd);
      modern.attach(ioas);

      try (Edu edu = Edu.start(modern)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
      }
      assertThat(result.mismatch(shared)).isEqualTo(-1);
      result.fill((byte) 0);
      try (Edu edu = Edu.start(legacy)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
      }
      assertThat(result.mismatch(shared)).isEqualTo(-1);
      assertThatThrownBy(() -> ioas.map(result, IOVA, READ)).isInstanceOf(IovaInUseException.class);
      assertThatThrownBy(() -> container.map(shared, IOVA + PAGE, READ))
          .isInstanceOf(IovaInUseException.class);
    }
  }

  @Test
  void containerUsesTheAddressSpaceThatWasChosen() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment memory = EduDma.page(arena, 1);
      ioas.map(memory, IOVA, READ_WRITE);
      iommufd.setCompatibilityIoas(ioas);
      Container container = container(iommufd);
      VfioDevice device = VfioDevice.open(Machine.EDU, container);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
      assertThatThrownBy(ioas::close).isInstanceOf(DeviceBusyException.class);

      container.close();
      container.close();
      ioas.unmap(IOVA, PAGE); // it was not the container's
      ioas.close();
    }
  }

  @Test
  void closingTheContainerUnpinsWhatItMapped() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Container container = container(iommufd);
      VfioDevice.open(Machine.EDU, container);
      container.map(EduDma.pages(arena, 2), IOVA, READ_WRITE);
      DmaBuffer buffer = container.allocate(PAGE);
      assertThat(LockedMemory.bytes()).isEqualTo(3 * PAGE);
      Ioas ioas = iommufd.compatibilityIoas().orElseThrow();

      container.close();

      assertThat(LockedMemory.bytes()).isZero();
      assertThat(buffer.segment().scope().isAlive()).isFalse();
      edu(iommufd).attach(ioas);
      ioas.map(EduDma.pages(arena, 2), IOVA, READ_WRITE);
      assertThat(LockedMemory.bytes()).isEqualTo(2 * PAGE);
    }
  }

  @Test
  void closingTheIommufdClosesTheContainer() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Iommufd iommufd = Iommufd.open();
      Container container = container(iommufd);
      VfioDevice device = VfioDevice.open(Machine.EDU, container);
      container.map(EduDma.pages(arena, 2), IOVA, READ_WRITE);
      assertThat(iommufd.compatibilityIoas()).isPresent(); // younger than the container

      iommufd.close();

      assertThat(device.isClosed()).isTrue();
      assertThatIllegalStateException().isThrownBy(container::unmapAll);
      assertThatIllegalStateException().isThrownBy(() -> container(iommufd));
      assertThat(LockedMemory.bytes()).isZero();
      container.close();
      VfioDevice.open(Machine.EDU).close();
    }
  }

  @Test
  void containerMayOutliveItsAddressSpace() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Container container = container(iommufd);
      VfioDevice device = VfioDevice.open(Machine.EDU, container);
      container.map(EduDma.pages(arena, 2), IOVA, READ_WRITE);
      Ioas ioas = iommufd.compatibilityIoas().orElseThrow();
      device.close();

      ioas.close();
      assertThat(LockedMemory.bytes()).isZero();
      container.close();
    }
  }

  /** A real container loses its mappings when its last group goes; an iommufd keeps them. */
  @Test
  void mappingsStayWhenTheDeviceIsBoundAnew() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        Container container = container(iommufd)) {
      MemorySegment memory = EduDma.page(arena, 1);
      VfioDevice former = VfioDevice.open(Machine.EDU, container);
      container.map(memory, IOVA, READ_WRITE);
      former.close();
      Binder.bindAnew(Device.EDU);

      VfioDevice device = VfioDevice.open(Machine.EDU, container);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
      container.unmap(IOVA, PAGE);
      assertThat(LockedMemory.bytes()).isZero();
    }
  }
}
