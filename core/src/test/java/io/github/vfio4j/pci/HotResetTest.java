package io.github.vfio4j.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_pci_hot_reset_info;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.pci.DependentDevice.Owner;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which devices a hot reset reaches, and what is said of those that are somebody else's. */
class HotResetTest {
  private static final String NEIGHBOUR = "0000:00:05.1";
  private static final int OURS = 5;
  private static final int OTHER_GROUP = 8;

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  /** Has a reset reach the device and its neighbour, whose group or iommufd is another. */
  private void reachBoth(Backend backend) {
    boolean iommufd = backend == Backend.IOMMUFD;
    machine
        .pci
        .reaches(FakeMachine.ADDRESS, iommufd ? OURS : FakeMachine.GROUP)
        .reaches(PciAddress.of(NEIGHBOUR), iommufd ? vfio_h.VFIO_PCI_DEVID_NOT_OWNED : OTHER_GROUP);
    machine.files.device(NEIGHBOUR).group(OTHER_GROUP, NEIGHBOUR);
  }

  private HotReset of(VfioDevice device) throws VfioException {
    return HotReset.of(OpenDevice.of(device), machine.host.sysfs());
  }

  private <E extends VfioException> void assertRefused(
      VfioDevice device, Class<E> type, Owner owner, String why) throws VfioException {
    HotReset reset = of(device);
    assertThat(reset.isPossible()).isFalse();
    assertThat(reset.dependents())
        .extracting(DependentDevice::owner)
        .containsExactly(Owner.THIS_PROCESS, owner);
    assertThatExceptionOfType(type)
        .isThrownBy(reset::perform)
        .withMessageContaining(NEIGHBOUR + " " + why)
        .satisfies(refused -> assertThat(refused.errno()).isEmpty());
    assertThat(machine.pci.resets()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void aNeighbourIsNamedWhoeverHasIt(Backend backend) throws VfioException {
    reachBoth(backend);
    try (VfioDevice device = machine.open(backend)) {
      assertRefused(device, DeviceNotBoundException.class, Owner.NOBODY, "has no driver");
      machine.files.driver(NEIGHBOUR, "vfio-pci");
      assertRefused(device, NotPermittedException.class, Owner.NOBODY, "is open nowhere");
      machine
          .files
          .attribute(NEIGHBOUR, "enable", "1")
          .file("proc/812/comm", "qemu")
          .link("proc/812/fd/9", "/dev/vfio/" + OTHER_GROUP);
      assertRefused(
          device, DeviceBusyException.class, Owner.OTHER_USER, "is open: process 812 (qemu)");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void aNeighbourOfTheKernelsIsNamed(Backend backend) throws VfioException {
    reachBoth(backend);
    machine.files.driver(NEIGHBOUR, "nvme");
    try (VfioDevice device = machine.open(backend)) {
      assertRefused(
          device, DeviceNotBoundException.class, Owner.KERNEL, "has the driver nvme, which is no");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void whoHasAllResetsAll(Backend backend) throws VfioException {
    machine.pci.reaches(FakeMachine.ADDRESS, backend == Backend.IOMMUFD ? OURS : FakeMachine.GROUP);
    try (VfioDevice device = machine.open(backend)) {
      HotReset reset = of(device);
      assertThat(reset.isPossible()).isTrue();
      reset.perform();
      assertThat(machine.pci.resets()).isEqualTo(1);
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  /** The kernel never resets what has virtual functions, whoever has them. */
  @Test
  void virtualFunctionsHaveToEndFirst() throws VfioException {
    machine
        .pci
        .reaches(FakeMachine.ADDRESS, FakeMachine.GROUP)
        .reaches(PciAddress.of(NEIGHBOUR), FakeMachine.GROUP);
    machine
        .files
        .device(NEIGHBOUR)
        .driver(NEIGHBOUR, "vfio-pci")
        .link("sys/devices/pci0000:00/" + NEIGHBOUR + "/physfn", "../" + FakeMachine.ADDRESS);
    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertRefused(device, DeviceBusyException.class, Owner.UNPROVABLE, "is a virtual function");
    }
  }

  /** Another device of an own group is nobody else's. */
  @Test
  void ofAGroupOneDeviceIsEnough() throws VfioException {
    machine
        .pci
        .reaches(FakeMachine.ADDRESS, OURS)
        .reaches(PciAddress.of(NEIGHBOUR), vfio_h.VFIO_PCI_DEVID_OWNED);
    machine
        .files
        .device(NEIGHBOUR)
        .group(FakeMachine.GROUP, NEIGHBOUR)
        .driver(NEIGHBOUR, "vfio-pci");
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      of(device).perform();
      assertThat(machine.pci.resets()).isEqualTo(1);
    }
  }

  @Test
  void moreDevicesThanExpectedAreAskedForAgain() throws VfioException {
    for (int i = 0; i < 40; i++) {
      machine.pci.reaches(new PciAddress(0xffff, 0xff, i >> 3, i & 7), OURS + i);
    }
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThat(of(device).dependents())
          .hasSize(40)
          .allSatisfy(dependent -> assertThat(dependent.toString()).startsWith("ffff:ff:0"));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 17, Integer.MAX_VALUE})
  void aCountWithoutRoomIsRefused(int count) throws VfioException {
    reachBoth(Backend.IOMMUFD);
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO) {
            vfio_pci_hot_reset_info.count(reply, count);
          }
        });
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> of(device))
          .withMessageContaining("the kernel's reply has " + count + " devices");
    }
  }

  @Test
  void aKernelThatNeverHasRoomIsNotAskedForEver() throws VfioException {
    reachBoth(Backend.IOMMUFD);
    machine.kernel.fail(Ioctl.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, Errno.ENOSPC);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatExceptionOfType(VfioException.class).isThrownBy(() -> of(device));
    }
    machine.kernel.fail(Ioctl.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, Errno.EAGAIN);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> of(device))
          .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EAGAIN));
    }
  }

  private <E extends VfioException> void assertInfoRefused(Errno errno, Class<E> type, String why)
      throws VfioException {
    machine.kernel.fail(Ioctl.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, errno);
    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertThatExceptionOfType(type)
          .isThrownBy(() -> of(device))
          .withMessageContaining(why)
          .satisfies(refused -> assertThat(refused.errno()).contains(errno));
    }
  }

  @Test
  void whatCannotBeResetIsExplained() throws VfioException {
    assertInfoRefused(Errno.ENODEV, UnsupportedByKernelException.class, "neither its slot nor");
    assertInfoRefused(Errno.EPERM, NotPermittedException.class, "in no IOMMU group");
    assertInfoRefused(Errno.ENOTTY, UnsupportedByKernelException.class, "Linux 3.12");
  }

  private <E extends VfioException> void assertResetRefused(Errno errno, Class<E> type, String why)
      throws VfioException {
    machine.kernel.fail(Ioctl.VFIO_DEVICE_PCI_HOT_RESET, errno);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatExceptionOfType(type)
          .isThrownBy(of(device)::perform)
          .withMessageContaining(why)
          .satisfies(refused -> assertThat(refused.errno()).contains(errno));
    }
  }

  @Test
  void whatTheKernelRefusesInSpiteOfAllIsExplained() throws VfioException {
    machine.pci.reaches(FakeMachine.ADDRESS, OURS);
    assertResetRefused(Errno.EBUSY, DeviceBusyException.class, "being accessed");
    assertResetRefused(Errno.ENOTTY, UnsupportedByKernelException.class, "could not reset its bus");
    assertResetRefused(Errno.EINVAL, VfioException.class, "EINVAL");
  }

  @Test
  void aClosedDeviceIsNotReset() throws VfioException {
    machine.pci.reaches(FakeMachine.ADDRESS, FakeMachine.GROUP);
    VfioDevice device = machine.open(Backend.CONTAINER);
    HotReset reset = of(device);
    device.close();

    assertThatIllegalStateException().isThrownBy(reset::perform);
    assertThatIllegalStateException().isThrownBy(() -> HotReset.of(device));
  }
}
