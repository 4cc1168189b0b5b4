package io.github.vfio4j.dmabuf;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A device's memory in an address space, here its own: what is left after what goes wrong. */
class PeerMappingTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 0x100000;

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static Ioctl mapping(Backend backend) {
    return backend == Backend.IOMMUFD ? Ioctl.IOMMU_IOAS_MAP_FILE : Ioctl.VFIO_IOMMU_MAP_DMA;
  }

  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void isMappedAsLongAsItIsOpen(Backend backend) throws VfioException {
    try (VfioDevice device = machine.open(backend)) {
      PeerMemory memory = PeerMemory.of(device, 2).slice(PAGE, PAGE);
      PeerMapping mapping = memory.map(device.addressSpace(), IOVA, READ_WRITE);
      assertThat(mapping.iova()).isEqualTo(IOVA);
      assertThat(mapping.size()).isEqualTo(PAGE);
      assertThat(mapping.isMapped()).isTrue();
      assertThat(machine.deviceMappings.protections()).hasSize(backend == Backend.IOMMUFD ? 0 : 1);
      assertThatExceptionOfType(IovaInUseException.class)
          .isThrownBy(() -> memory.map(device.addressSpace(), IOVA, READ_WRITE));
      PeerMapping other = memory.map(device.addressSpace(), READ_WRITE);
      assertThat(other.iova()).isNotEqualTo(IOVA);

      mapping.close();
      mapping.close();

      assertThat(mapping.isMapped()).isFalse();
      assertThatIllegalStateException().isThrownBy(mapping::restore);
      assertThat(machine.deviceMappings.protections()).hasSize(backend == Backend.IOMMUFD ? 0 : 1);
      memory.map(device.addressSpace(), IOVA, READ_WRITE);
      other.close();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void eitherAllIsDoneOrNothing(Backend backend) throws VfioException {
    try (VfioDevice device = machine.open(backend)) {
      boolean failed = true;
      for (int call = 1; failed; call++) {
        machine.kernel.failCall(call, Errno.ENOMEM);
        int open = machine.kernel.leftOpen().size();
        try {
          PeerMapping mapping =
              PeerMemory.of(device, 2).map(device.addressSpace(), IOVA, READ_WRITE);
          failed = machine.kernel.hasFailed();
          machine.kernel.failCall(-1, Errno.ENOMEM);
          mapping.close();
        } catch (VfioException e) {
          machine.kernel.failCall(-1, Errno.ENOMEM);
        }
        assertThat(machine.kernel.leftOpen()).as("after call %d", call).hasSize(open);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void whatCannotBeRestoredKeepsItsIova(Backend backend) throws VfioException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = machine.open(backend)) {
      IoAddressSpace space = device.addressSpace();
      PeerMapping mapping = PeerMemory.of(device, 2).map(space, READ_WRITE);
      long iova = mapping.iova();
      machine.kernel.fail(mapping(backend), Errno.ENODEV);

      assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(mapping::restore);
      assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(mapping::restore);

      assertThat(mapping.isMapped()).isFalse();
      machine.kernel.failNoMore();
      MemorySegment page = arena.allocate(PAGE, PAGE);
      assertThatExceptionOfType(IovaInUseException.class)
          .isThrownBy(() -> space.map(page, iova, READ_WRITE));
      mapping.restore();
      mapping.restore();
      assertThat(mapping.isMapped()).isTrue();
      assertThat(mapping.iova()).isEqualTo(iova);

      machine.kernel.fail(mapping(backend), Errno.ENODEV);
      assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(mapping::restore);
      machine.kernel.failNoMore();
      mapping.close();
      space.map(page, iova, READ_WRITE);
      space.unmap(iova, PAGE);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void whatItsAddressSpaceHasUnmappedIsMappedAgain(Backend backend) throws VfioException {
    try (VfioDevice device = machine.open(backend)) {
      IoAddressSpace space = device.addressSpace();
      PeerMapping mapping = PeerMemory.of(device, 2).map(space, IOVA, READ_WRITE);
      space.unmapAll();
      assertThat(mapping.isMapped()).isFalse();

      mapping.restore();
      assertThat(mapping.isMapped()).isTrue();

      space.unmap(IOVA, mapping.size());
      assertThat(mapping.isMapped()).isFalse();
      PeerMapping successor = PeerMemory.of(device, 1).map(space, IOVA, READ_WRITE);
      assertThatExceptionOfType(IovaInUseException.class).isThrownBy(mapping::restore);
      mapping.close();
      assertThat(successor.isMapped()).isTrue();
    }
  }

  /** The address space is the device's own, and ends with it; what is mapped in it goes first. */
  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void endsWithItsDevice(Backend backend) throws VfioException {
    VfioDevice device = machine.open(backend);
    PeerMapping mapping = PeerMemory.of(device, 2).map(device.addressSpace(), READ_WRITE);

    device.close();

    assertThat(mapping.isMapped()).isFalse();
    assertThatIllegalStateException().isThrownBy(mapping::restore);
    mapping.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"IOMMUFD", "CONTAINER"})
  void endsWithItsAddressSpace(Backend backend) throws VfioException {
    VfioDevice device = machine.open(backend);
    IoAddressSpace space = device.addressSpace();
    PeerMapping mapping = PeerMemory.of(device, 2).map(space, READ_WRITE);
    if (backend == Backend.IOMMUFD) {
      ((io.github.vfio4j.iommufd.Ioas) space).iommufd().close();
    } else {
      space.close();
    }

    assertThat(mapping.isMapped()).isFalse();
    assertThatIllegalStateException().isThrownBy(mapping::restore);
    mapping.close();
    device.close();
  }

  @Test
  void onlyWholePagesOfWhatIsThereAreMapped() throws VfioException {
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      PeerMemory memory = PeerMemory.of(device, 2);
      assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(1, PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> memory.slice(0, PAGE - 1));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> memory.slice(PAGE, 2 * PAGE));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> memory.slice(-PAGE, PAGE));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> PeerMemory.of(device, 9));
      PeerMemory both = memory.slice(PAGE, PAGE).and(memory.slice(0, PAGE));
      assertThat(both.size()).isEqualTo(2 * PAGE);
      assertThatIllegalArgumentException().isThrownBy(() -> both.slice(0, PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> memory.and(PeerMemory.of(device, 1)));
    }
  }

  @Test
  void fileEndsWithItsDeviceAndItsMappingsWithIt() throws VfioException {
    VfioDevice device = machine.open(Backend.IOMMUFD);
    DmaBuf file = PeerMemory.of(device, 2).export();
    MappedRegion mapped = file.map();
    assertThat(file.size()).isEqualTo(2 * PAGE);
    file.read(PAGE, MemorySegment.ofArray(new byte[10]));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> file.read(2 * PAGE - 9, MemorySegment.ofArray(new byte[10])));
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> mapped.setInt(0, 1));

    device.close();

    assertThatIllegalStateException().isThrownBy(file::fd);
    assertThatIllegalStateException().isThrownBy(file::map);
    assertThatIllegalStateException().isThrownBy(() -> mapped.getInt(0));
    file.close();
  }
}
