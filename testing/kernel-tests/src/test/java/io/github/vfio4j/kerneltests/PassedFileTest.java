package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A process that may open no node drives a device by files that were passed to it. */
@OnMachine(value = OnMachine.IOMMU, since = "6.6")
@Bound(Device.EDU)
class PassedFileTest {
  private static final Path IOMMU = Path.of("/dev/iommu");
  private static final int NOT_OPEN = 9999;

  private static Path cdev;
  private static Path group;

  @BeforeAll
  static void findNodes() throws IOException {
    PciDevice edu = Sysfs.host().device(Machine.EDU);
    cdev = edu.cdev().orElseThrow().path();
    group = Sysfs.host().group(edu.iommuGroup().orElseThrow()).node().orElseThrow().path();
  }

  @Test
  void passedFilesDriveADeviceAndStayTheCallers() throws IOException {
    try (Arena arena = Arena.ofConfined();
        PassedFile passedIommufd = PassedFile.open(IOMMU);
        PassedFile passedDevice = PassedFile.open(cdev)) {
      try (Iommufd iommufd = Iommufd.ofFd(passedIommufd.number())) {
        Ioas ioas = iommufd.allocateIoas();
        MemorySegment memory = EduDma.page(arena, 1);
        ioas.map(memory, 0x10000, READ_WRITE);
        CdevDevice device = iommufd.bindPassed(passedDevice.number());
        assertThat(device.name()).isEqualTo(Machine.EDU.toString());
        device.attach(ioas);
        try (Edu edu = Edu.start(device)) {
          EduDma.toDevice(edu, 0x10000);
          memory.fill((byte) 0);
          EduDma.fromDevice(edu, 0x10000);
        }

        assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
      }
      assertThat(Path.of("/proc/self/fd/" + passedIommufd.number()).toRealPath()).isEqualTo(IOMMU);
      assertThat(Path.of("/proc/self/fd/" + passedDevice.number()).toRealPath()).isEqualTo(cdev);
      Iommufd.ofFd(passedIommufd.number()).close();
    }
  }

  /** The caller's file keeps the kernel's device open, yet closing ours must end its DMA. */
  @Test
  void closingTheDeviceFreesTheAddressSpaceWhoeverHoldsTheFile() throws IOException {
    try (Arena arena = Arena.ofConfined();
        PassedFile passed = PassedFile.open(cdev);
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.map(EduDma.pages(arena, 1), 0x10000, READ_WRITE);
      CdevDevice device = iommufd.bindPassed(passed.number());
      device.attach(ioas);

      device.close();
      ioas.close();

      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  @Test
  void boundFileCannotBeBoundAgain() throws IOException {
    try (PassedFile passed = PassedFile.open(cdev);
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = iommufd.bindPassed(passed.number());

      assertThatThrownBy(() -> iommufd.bindPassed(passed.number()))
          .isInstanceOf(DeviceBusyException.class);
      device.attach(iommufd.allocateIoas());
    }
  }

  @Test
  void otherFilesAreNotTakenForAnIommufd() throws IOException {
    Path regular = Files.createTempFile("regular", null);
    try (PassedFile nothing = PassedFile.open(Path.of("/dev/null"));
        PassedFile file = PassedFile.open(regular);
        PassedFile device = PassedFile.open(cdev)) {
      assertThatThrownBy(() -> Iommufd.ofFd(nothing.number()))
          .isInstanceOf(NoSuchDeviceException.class)
          .hasMessageContaining("it is device 1:3")
          .hasMessageContaining("/dev/iommu");
      assertThatThrownBy(() -> Iommufd.ofFd(file.number()))
          .isInstanceOf(NoSuchDeviceException.class)
          .hasMessageContaining("not a device node");
      assertThatThrownBy(() -> Iommufd.ofFd(device.number()))
          .isInstanceOf(NoSuchDeviceException.class);
      assertNotOpen(() -> Iommufd.ofFd(NOT_OPEN));
      assertNotOpen(() -> Iommufd.ofFd(-1));
    } finally {
      Files.delete(regular);
    }
  }

  @Test
  void otherFilesAreNotTakenForADevice() throws IOException {
    Path regular = Files.createTempFile("regular", null);
    try (Iommufd iommufd = Iommufd.open();
        PassedFile nothing = PassedFile.open(Path.of("/dev/null"));
        PassedFile file = PassedFile.open(regular);
        PassedFile otherIommufd = PassedFile.open(IOMMU);
        PassedFile wholeGroup = PassedFile.open(group)) {
      for (PassedFile passed : new PassedFile[] {nothing, otherIommufd, wholeGroup}) {
        assertThatThrownBy(() -> iommufd.bindPassed(passed.number()))
            .isInstanceOf(NoSuchDeviceException.class)
            .hasMessageContaining("not that of a VFIO device");
      }
      assertThatThrownBy(() -> iommufd.bindPassed(file.number()))
          .isInstanceOf(NoSuchDeviceException.class)
          .hasMessageContaining("not a device node");
      assertNotOpen(() -> iommufd.bindPassed(NOT_OPEN));
      assertNotOpen(() -> iommufd.bindPassed(-1));
    } finally {
      Files.delete(regular);
    }
  }

  private static void assertNotOpen(org.assertj.core.api.ThrowableAssert.ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOfSatisfying(
            VfioException.class,
            e -> {
              assertThat(e.errno()).contains(Errno.EBADF);
              assertThat(e).hasMessageContaining("not an open file of this process");
            });
  }
}
