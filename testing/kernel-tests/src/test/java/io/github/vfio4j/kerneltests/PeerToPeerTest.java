package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static java.lang.foreign.ValueLayout.JAVA_INT;
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
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.dmabuf.DmaBuf;
import io.github.vfio4j.dmabuf.PeerMapping;
import io.github.vfio4j.dmabuf.PeerMemory;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** One device reads and writes another: edu the shared memory of ivshmem, and nvme's registers. */
@OnMachine({"intel/legacy", "amd", "smmuv3"})
@Bound({Device.EDU, Device.IVSHMEM, Device.NVME})
class PeerToPeerTest {
  private static final int SHARED_MEMORY = 2;
  private static final int REGISTERS = 0;
  private static final int CAPABILITIES = 0;
  private static final int ADMIN_QUEUE_SIZES = 0x24;
  private static final int CONFIG = 7;
  private static final long IOVA = 0x10000;

  /** An edu with a page of memory at {@link #IOVA}, and another device in a space of its own. */
  private static final class Peers implements AutoCloseable {
    final Arena arena = Arena.ofConfined();
    final VfioDevice device;
    final VfioDevice peer;
    final Edu edu;
    final IoAddressSpace space;
    final MemorySegment page = EduDma.pages(arena, 1);

    Peers(Backend backend, PciAddress address) throws VfioException {
      device = VfioDevice.open(Machine.EDU, backend);
      peer = VfioDevice.open(address, backend);
      edu = Edu.start(device);
      space = device.addressSpace();
      space.map(page, IOVA, READ_WRITE);
    }

    PeerMemory memory(int region, long offset, long size) throws VfioException {
      return PeerMemory.of(peer, region).slice(offset, size);
    }

    /** Has the edu read a word of the peer's. */
    int word(long iova) throws VfioException {
      page.fill((byte) 0);
      EduDma.wordToDevice(edu, iova);
      EduDma.wordFromDevice(edu, IOVA);
      return page.get(JAVA_INT, 0);
    }

    void word(long iova, int value) throws VfioException {
      page.set(JAVA_INT, 0, value);
      EduDma.wordToDevice(edu, IOVA);
      EduDma.wordFromDevice(edu, iova);
    }

    @Override
    public void close() throws VfioException {
      edu.close();
      peer.close();
      device.close();
      arena.close();
    }
  }

  private static void assertBytesGoBothWays(Peers peers, PeerMapping mapping, int seed)
      throws VfioException {
    MemorySegment seen = peers.arena.allocate(PAGE);
    try (MappedRegion shared = peers.peer.region(SHARED_MEMORY).map(PAGE, 2 * PAGE)) {
      MemorySegment first = EduDma.page(peers.arena, seed);
      shared.write(0, first);
      EduDma.move(peers.edu, mapping.iova(), IOVA);
      assertThat(peers.page.mismatch(first)).isEqualTo(-1);

      EduDma.fill(peers.page, seed + 1);
      EduDma.move(peers.edu, IOVA, mapping.iova() + PAGE);
      shared.read(PAGE, seen);
      assertThat(seen.mismatch(peers.page)).isEqualTo(-1);
      shared.read(0, seen);
      assertThat(seen.mismatch(first)).isEqualTo(-1);
    }
  }

  private static void requireExport(Backend backend) {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        backend == Backend.CONTAINER || Machine.kernelIsSince("7.0"));
  }

  @EachBackend
  void bytesGoBothWays(Backend backend) throws VfioException {
    requireExport(backend);
    try (Peers peers = new Peers(backend, Machine.IVSHMEM)) {
      PeerMemory memory = peers.memory(SHARED_MEMORY, PAGE, 2 * PAGE);
      PeerMapping mapping = memory.map(peers.space, READ_WRITE);
      assertBytesGoBothWays(peers, mapping, 1);

      mapping.close();
      PeerMapping readOnly = memory.map(peers.space, mapping.iova(), READ);
      EduDma.move(peers.edu, readOnly.iova(), IOVA);
      MemorySegment kept = peers.arena.allocate(PAGE).copyFrom(peers.page);
      EduDma.fill(peers.page, 7);
      EduDma.toDevice(peers.edu, IOVA);
      EduDma.fromDevice(peers.edu, readOnly.iova());
      EduDma.move(peers.edu, readOnly.iova(), IOVA);
      assertThat(peers.page.mismatch(kept)).as("what may only be read was written").isEqualTo(-1);
    }
  }

  /** Into an IOAS the kernel takes the memory away for good; into a container, never. */
  @EachBackend
  void memoryThatWasSwitchedOffIsMappedAgain(Backend backend) throws VfioException {
    requireExport(backend);
    try (Peers peers = new Peers(backend, Machine.IVSHMEM)) {
      PeerMapping mapping =
          peers.memory(SHARED_MEMORY, PAGE, 2 * PAGE).map(peers.space, READ_WRITE);
      long iova = mapping.iova();
      assertBytesGoBothWays(peers, mapping, 1);

      peers.peer.pci().config().setMemoryEnabled(false);
      assertRefused(backend == Backend.IOMMUFD ? Errno.ENODEV : Errno.EFAULT, mapping::restore);
      assertThat(mapping.isMapped()).isFalse();
      assertThatExceptionOfType(IovaInUseException.class)
          .isThrownBy(() -> peers.space.map(peers.page, iova, READ));
      peers.peer.pci().config().setMemoryEnabled(true);
      mapping.restore();
      assertThat(mapping.iova()).isEqualTo(iova);
      assertBytesGoBothWays(peers, mapping, 3);

      peers.peer.pci().config().setMemoryEnabled(false);
      peers.peer.pci().config().setMemoryEnabled(true);
      peers.peer.region(SHARED_MEMORY).writeInt(PAGE, 0x5ea1);
      assertThat(peers.word(iova)).isEqualTo(backend == Backend.IOMMUFD ? 0 : 0x5ea1);
      assertThat(mapping.isMapped()).as("nobody can know").isTrue();
      mapping.restore();
      mapping.restore();
      assertThat(peers.word(iova)).isEqualTo(0x5ea1);
      assertBytesGoBothWays(peers, mapping, 5);
    }
  }

  @EachBackend
  void memoryOfADeviceThatWasResetIsMappedAgain(Backend backend) throws VfioException {
    requireExport(backend);
    try (Peers peers = new Peers(backend, Machine.NVME)) {
      VfioDevice nvme = peers.peer;
      PeerMapping mapping = peers.memory(REGISTERS, 0, PAGE).map(peers.space, READ_WRITE);
      int capabilities = nvme.region(REGISTERS).readInt(CAPABILITIES);
      assertThat(capabilities).isNotZero();
      assertThat(peers.word(mapping.iova() + CAPABILITIES)).isEqualTo(capabilities);
      peers.word(mapping.iova() + ADMIN_QUEUE_SIZES, 0x30002);
      assertThat(nvme.region(REGISTERS).readInt(ADMIN_QUEUE_SIZES)).isEqualTo(0x30002);

      nvme.reset();
      assertThat(peers.word(mapping.iova() + CAPABILITIES))
          .isEqualTo(backend == Backend.IOMMUFD ? 0 : capabilities);

      mapping.restore();
      assertThat(peers.word(mapping.iova() + CAPABILITIES)).isEqualTo(capabilities);
      peers.word(mapping.iova() + ADMIN_QUEUE_SIZES, 0x40003);
      assertThat(nvme.region(REGISTERS).readInt(ADMIN_QUEUE_SIZES)).isEqualTo(0x40003);
    }
  }

  @EachBackend
  @Bound({Device.EDU, Device.IVSHMEM_2})
  void memoryIsWhatItWasBeforeAResetOfItsBus(Backend backend) throws VfioException {
    requireExport(backend);
    try (Peers peers = new Peers(backend, Device.IVSHMEM_2.address())) {
      PeerMapping mapping =
          peers.memory(SHARED_MEMORY, PAGE, 2 * PAGE).map(peers.space, READ_WRITE);
      assertBytesGoBothWays(peers, mapping, 1);
      MemorySegment before = EduDma.page(peers.arena, 2); // as the edu has left them
      MemorySegment seen = peers.arena.allocate(PAGE);

      peers.peer.reset();

      EduDma.fill(peers.page, 9);
      EduDma.move(peers.edu, IOVA, mapping.iova() + PAGE);
      peers.peer.region(SHARED_MEMORY).read(2 * PAGE, seen);
      assertThat(seen.mismatch(backend == Backend.IOMMUFD ? before : peers.page)).isEqualTo(-1);
      mapping.restore();
      assertBytesGoBothWays(peers, mapping, 3);
    }
  }

  @EachBackend
  void deviceMayBeClosedBeforeTheOneThatReadsIt(Backend backend) throws VfioException {
    requireExport(backend);
    try (Peers peers = new Peers(backend, Machine.IVSHMEM)) {
      PeerMapping mapping = peers.memory(SHARED_MEMORY, 0, PAGE).map(peers.space, READ_WRITE);
      peers.peer.region(SHARED_MEMORY).writeInt(0, 0x600d);
      assertThat(peers.word(mapping.iova())).isEqualTo(0x600d);

      peers.peer.close();

      assertThat(mapping.isMapped()).isFalse();
      assertThat(peers.word(mapping.iova())).isZero();
      assertThatIllegalStateException().isThrownBy(mapping::restore);
      MemorySegment other = EduDma.page(peers.arena, 1);
      peers.space.map(other, mapping.iova(), READ);
      mapping.close();
      EduDma.move(peers.edu, mapping.iova(), IOVA);
      assertThat(peers.page.mismatch(other)).isEqualTo(-1);
    }
  }

  @EachBackend
  void addressSpaceMayBeClosedBeforeTheDevice(Backend backend) throws VfioException {
    requireExport(backend);
    VfioDevice peer = VfioDevice.open(Machine.IVSHMEM, backend);
    VfioDevice device = VfioDevice.open(Machine.EDU, backend);
    PeerMapping mapping = PeerMemory.of(peer, SHARED_MEMORY).map(device.addressSpace(), READ);
    device.close();

    assertThat(mapping.isMapped()).isFalse();
    assertThatIllegalStateException().isThrownBy(mapping::restore);
    peer.region(SHARED_MEMORY).writeInt(0, 1);
    peer.close();
    mapping.close();
  }

  @Test
  @OnMachine(since = "7.0")
  void onlyMemoryOfBarsIsExported() throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME);
        VfioDevice ivshmem = VfioDevice.open(Machine.IVSHMEM);
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      PeerMemory config = PeerMemory.of(nvme, CONFIG);
      PeerMemory registers = PeerMemory.of(ivshmem, REGISTERS);
      PeerMemory shared = PeerMemory.of(ivshmem, SHARED_MEMORY);

      assertRefused(NoSuchDeviceException.class, Errno.ENODEV, config::export);
      assertThatIllegalArgumentException()
          .isThrownBy(registers::export)
          .withMessageContaining("0x100 bytes at 0x0 of region 0");
      assertThatIllegalArgumentException().isThrownBy(() -> PeerMemory.of(ivshmem, 1));
      try (DmaBuf file = shared.slice(PAGE, PAGE).export()) {
        ioas.mapFile(file.fd(), 0, IOVA, PAGE, READ);
        assertRefused(Errno.EINVAL, file::map);
        assertRefused(Errno.EINVAL, () -> ioas.mapFile(file.fd(), 0, 2 * PAGE, READ));
      }
      PeerMemory two = shared.slice(0, PAGE).and(shared.slice(2 * PAGE, PAGE));
      try (DmaBuf file = two.export()) {
        assertThat(file.size()).isEqualTo(2 * PAGE);
      }
      assertRefused(
          UnsupportedByKernelException.class, Errno.EOPNOTSUPP, () -> two.map(ioas, READ));
    }
  }

  /** What a container that is an iommufd's is asked by address, it pins, and a BAR cannot be. */
  @Test
  @OnMachine(since = "7.0")
  void containerOfAnIommufdMapsNoPeer() throws IOException {
    try (VfioDevice ivshmem = VfioDevice.open(Machine.IVSHMEM);
        Iommufd iommufd = Iommufd.open();
        Container container = Container.open(iommufd, Container.Type.TYPE1V2)) {
      VfioDevice edu = VfioDevice.open(Machine.EDU, container);
      PeerMemory shared = PeerMemory.of(ivshmem, SHARED_MEMORY);

      assertRefused(Errno.EFAULT, () -> shared.map(container, READ));
      edu.close();
    }
  }
}
