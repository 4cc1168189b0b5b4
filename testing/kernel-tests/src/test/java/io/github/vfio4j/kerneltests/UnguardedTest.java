package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.dmabuf.PeerMapping;
import io.github.vfio4j.dmabuf.PeerMemory;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.PhysicalRange;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Who asks for it by name drives a device that no IOMMU guards, by physical addresses. */
@OnMachine(value = "bare", since = "7.3")
@Bound(Device.EDU)
class UnguardedTest {
  private static final int HUGE = 2 << 20;
  private static final long IOVA = 0x10000;
  private static final int NOBODY = 65534;

  private static CdevDevice edu(Iommufd iommufd) throws VfioException {
    return iommufd.bindWithoutIommu(Sysfs.host().device(Machine.EDU));
  }

  @Test
  void deviceReachesThePhysicalAddress() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      device.attach(ioas);
      try (DmaBuffer source = ioas.allocate(PAGE);
          DmaBuffer target = ioas.allocate(PAGE);
          Edu edu = Edu.start(device)) {
        EduDma.fill(source.segment(), 1);
        PhysicalRange from = ioas.physicalAddress(source.iova(), PAGE);
        PhysicalRange to = ioas.physicalAddress(target.iova(), PAGE);
        assertThat(from.size()).isEqualTo(PAGE);

        EduDma.move(edu, from.address(), to.address());

        assertThat(target.segment().mismatch(source.segment())).isEqualTo(-1);
        assertThat(ioas.physicalAddress(target.iova() + 5, 7))
            .isEqualTo(new PhysicalRange(to.address() + 5, 7));
      }
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  /** Without an IOMMU, too, the kernel tells no address of memory that it has taken away. */
  @Test
  @Bound({Device.EDU, Device.IVSHMEM})
  void deviceReachesAnotherOne() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      CdevDevice peer = iommufd.bindWithoutIommu(Sysfs.host().device(Machine.IVSHMEM));
      Ioas ioas = iommufd.allocateIoas();
      device.attach(ioas);
      PeerMapping mapping = PeerMemory.of(peer, 2).slice(PAGE, PAGE).map(ioas, READ_WRITE);
      MemorySegment seen = arena.allocate(PAGE);
      try (DmaBuffer buffer = ioas.allocate(PAGE);
          Edu edu = Edu.start(device)) {
        EduDma.fill(buffer.segment(), 3);
        long memory = ioas.physicalAddress(buffer.iova(), PAGE).address();
        long registers = ioas.physicalAddress(mapping.iova(), PAGE).address();

        EduDma.move(edu, memory, registers);

        peer.region(2).read(PAGE, seen);
        assertThat(seen.mismatch(buffer.segment())).isEqualTo(-1);
        peer.pci().config().setMemoryEnabled(false);
        peer.pci().config().setMemoryEnabled(true);
        RefusalAssertions.assertRefused(
            Errno.EINVAL, () -> ioas.physicalAddress(mapping.iova(), PAGE));
        mapping.restore();
        assertThat(ioas.physicalAddress(mapping.iova(), PAGE).address()).isEqualTo(registers);
      }
    }
  }

  @Test
  void hugePageIsContiguous() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      device.attach(ioas);
      try (DmaBuffer buffer = ioas.allocateHuge(HUGE, HUGE);
          Edu edu = Edu.start(device)) {
        PhysicalRange range = ioas.physicalAddress(buffer.iova(), HUGE);
        assertThat(range.size()).isEqualTo(HUGE);
        assertThat(range.address() % HUGE).isZero();
        EduDma.fill(buffer.segment().asSlice(0, PAGE), 2);

        EduDma.move(edu, range.address(), range.address() + HUGE - PAGE);

        assertThat(
                buffer.segment().asSlice(HUGE - PAGE).mismatch(buffer.segment().asSlice(0, PAGE)))
            .isEqualTo(-1);
        assertThat(ioas.physicalAddress(buffer.iova(), 2L * HUGE)).isEqualTo(range);
      }
    }
  }

  @Test
  void whatIsNotMappedHasNoAddress() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      ioas.map(EduDma.pages(arena, 1), IOVA, READ_WRITE);
      assertThatThrownBy(() -> ioas.physicalAddress(IOVA, PAGE)) // no device, so no page table
          .isInstanceOf(VfioException.class);
      device.attach(ioas);

      assertThat(ioas.physicalAddress(IOVA, PAGE).size()).isEqualTo(PAGE);
      assertThatThrownBy(() -> ioas.physicalAddress(IOVA + PAGE, PAGE))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_IOAS_NOIOMMU_GET_PA");
                assertThat(e.errno()).contains(Errno.ENOENT);
              });
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.physicalAddress(IOVA, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.physicalAddress(IOVA, -1));
      device.close();
      ioas.close();
      assertThatIllegalStateException().isThrownBy(() -> ioas.physicalAddress(IOVA, PAGE));
    }
  }

  @Test
  void nobodyElseOpensItByAccident() throws IOException {
    PciDevice device = Sysfs.host().device(Machine.EDU);
    Path node = device.cdev().orElseThrow().path();
    assertThat(node.getFileName().toString()).startsWith("noiommu-vfio");
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      assertUnguarded(() -> VfioDevice.open(Machine.EDU));
      assertUnguarded(() -> VfioDevice.open(node));
      assertUnguarded(() -> VfioDevice.open(Machine.EDU, ioas));
      assertUnguarded(() -> iommufd.bind(device));
      try (PassedFile passed = PassedFile.open(node)) {
        assertUnguarded(() -> iommufd.bindPassed(passed.number()));
      }
    }
  }

  private static void assertUnguarded(org.assertj.core.api.ThrowableAssert.ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOf(NotPermittedException.class)
        .hasMessageContaining("no IOMMU guards it");
  }

  @Test
  void userWithoutPrivilegesCannotOpenIt() throws IOException {
    Path iommufd = Path.of("/dev/iommu");
    Path node = Sysfs.host().device(Machine.EDU).cdev().orElseThrow().path();
    Files.setAttribute(iommufd, "unix:uid", NOBODY);
    Files.setAttribute(node, "unix:uid", NOBODY);
    try (Child child = Child.start(Child.AS_NOBODY, UnguardedProcess.class)) {
      assertThat(child.line()).startsWith("NotPermittedException: open on " + node + ": EPERM");
      assertThat(child.line())
          .startsWith("NotPermittedException: IOMMU_IOAS_NOIOMMU_GET_PA on IOAS ");
      assertThat(child.lines()).isEmpty();
    } finally {
      Files.setAttribute(iommufd, "unix:uid", 0);
      Files.setAttribute(node, "unix:uid", 0);
    }
  }
}
