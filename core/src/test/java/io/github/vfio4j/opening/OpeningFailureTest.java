package io.github.vfio4j.opening;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.entry.HostOpener;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.sysfs.PciDevice;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is said of a device that the kernel does not hand out. */
class OpeningFailureTest {
  private static final String EDU = FakeMachine.ADDRESS.toString();
  private static final String NEIGHBOUR = "0000:00:05.1";

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  private <E extends VfioException> E refused(Backend backend, Errno errno, Class<E> type) {
    machine.kernel.fail(
        backend == Backend.IOMMUFD
            ? Ioctl.VFIO_DEVICE_BIND_IOMMUFD
            : Ioctl.VFIO_GROUP_GET_DEVICE_FD,
        errno);
    E failure = catchThrowableOfType(type, () -> machine.open(backend));
    assertThat(failure.errno()).contains(errno);
    assertThat(failure.object()).isEqualTo(EDU);
    assertThat(machine.kernel.leftOpen()).isEmpty();
    return failure;
  }

  /** Shows a process that has the node of the device open, and sysfs that somebody has. */
  private void holdOpen(long process, String node) {
    machine
        .files
        .file("proc/" + process + "/comm", "qemu")
        .link("proc/" + process + "/fd/9", "/" + node);
  }

  @ParameterizedTest
  @CsvSource({"IOMMUFD, EINVAL", "IOMMUFD, EBUSY", "CONTAINER, EBUSY", "CONTAINER, EINVAL"})
  void whoHasItOpenIsNamed(Backend backend, String errno) {
    machine.files.attribute(EDU, "enable", "1");
    holdOpen(812, "dev/vfio/devices/vfio0");

    assertThat(
            refused(
                backend,
                errno.equals("EBUSY") ? Errno.EBUSY : Errno.EINVAL,
                DeviceBusyException.class))
        .hasMessageContaining("it is open already: process 812 (qemu)");
  }

  @Test
  void aForgottenCloseInThisProcessIsTold() {
    machine.files.attribute(EDU, "enable", "1");
    holdOpen(ProcessHandle.current().pid(), "dev/vfio/7");

    assertThat(refused(Backend.IOMMUFD, Errno.EINVAL, DeviceBusyException.class))
        .hasMessageContaining("it is open already: this process");
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void whatNobodyHasOpenIsNotCalledBusy(Backend backend) {
    assertThat(refused(backend, Errno.EINVAL, VfioException.class))
        .isNotInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("nobody has it open")
        .hasMessageContaining("BAR");
  }

  @Test
  void aNeighbourThatIsOpenIsNamedBeforeInterrupts() {
    machine
        .files
        .device(NEIGHBOUR)
        .group(FakeMachine.GROUP, NEIGHBOUR)
        .driver(NEIGHBOUR, "vfio-pci")
        .attribute(NEIGHBOUR, "enable", "1");

    assertThat(refused(Backend.IOMMUFD, Errno.EPERM, NotPermittedException.class))
        .hasMessageContaining(NEIGHBOUR + " of the same group is open already")
        .message()
        .doesNotContain("interrupt");
  }

  @Test
  void aForeignNeighbourIsNamed() {
    machine
        .files
        .device(NEIGHBOUR)
        .group(FakeMachine.GROUP, NEIGHBOUR)
        .driver(NEIGHBOUR, "xhci_hcd");

    assertThat(refused(Backend.IOMMUFD, Errno.EPERM, DeviceNotBoundException.class))
        .hasMessageContaining(NEIGHBOUR + " is bound to xhci_hcd");
  }

  @Test
  void aTokenIsCalledByItsName() {
    assertThat(refused(Backend.CONTAINER, Errno.EACCES, NotPermittedException.class))
        .hasMessageContaining("VF token");
  }

  private void giveToken(
      Backend backend, Errno errno, Class<? extends VfioException> type, String why)
      throws VfioException {
    machine.kernel.fail(
        backend == Backend.IOMMUFD
            ? Ioctl.VFIO_DEVICE_BIND_IOMMUFD
            : Ioctl.VFIO_GROUP_GET_DEVICE_FD,
        errno);
    UUID token = UUID.randomUUID();
    HostDevice device = ((PciDevice) machine.device()).withVfToken(token);
    VfioException failure =
        catchThrowableOfType(type, () -> new HostOpener(machine.host).open(device, backend));
    assertThat(failure).hasMessageContaining(why);
    assertThat(failure.toString() + device).doesNotContain(token.toString());
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void aTokenThatIsNoneOrWrongOrTooMuchIsExplained() throws VfioException {
    giveToken(Backend.CONTAINER, Errno.EINVAL, VfioException.class, "takes no VF token");
    giveToken(Backend.IOMMUFD, Errno.EINVAL, VfioException.class, "takes no VF token");
    machine.files.sriov(EDU, 1);
    giveToken(Backend.CONTAINER, Errno.EACCES, NotPermittedException.class, "not the right one");
    giveToken(Backend.IOMMUFD, Errno.EACCES, NotPermittedException.class, "not the right one");
    giveToken(
        Backend.IOMMUFD, Errno.EINVAL, UnsupportedByKernelException.class, "through its group");
  }

  @Test
  void anOldKernelTakesATokenThroughTheGroup() throws VfioException {
    machine.files.sriov(EDU, 1).file("proc/sys/kernel/osrelease", "6.12.40-vfio4j");
    HostDevice device = ((PciDevice) machine.device()).withVfToken(UUID.randomUUID());
    Ways ways = Ways.to(new HostFiles(machine.host.sysfs()), device);

    assertThat(ways.iommufd().obstacles())
        .extracting(Obstacle::seen)
        .singleElement()
        .asString()
        .contains("no VF token on a device's own node");
    assertThat(ways.container().isWhole()).isTrue();
    machine.files.file("proc/sys/kernel/osrelease", "7.3.4");
    assertThat(Ways.to(new HostFiles(machine.host.sysfs()), device).iommufd().isWhole()).isTrue();
  }

  @Test
  void aDeviceThatDoesNotWakeUpIsTold() {
    assertThat(refused(Backend.IOMMUFD, Errno.ETIMEDOUT, VfioException.class))
        .hasMessageContaining("D3cold");
  }

  /** A device that is about to be registered says once that it is not there. */
  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  void aDeviceThatIsShownIsAskedAgain(Backend backend) throws VfioException {
    int askedAgain = 0;
    for (int call = 1; call <= 12; call++) {
      machine.kernel.failCall(call, Errno.ENODEV);
      try (VfioDevice device = machine.open(backend)) {
        assertThat(device.isClosed()).isFalse();
        askedAgain += machine.kernel.hasFailed() ? 1 : 0;
      } catch (VfioException finalAnswer) {
        assertThat(machine.kernel.hasFailed()).isTrue();
      }
    }
    assertThat(askedAgain).isEqualTo(backend == Backend.IOMMUFD ? 1 : 2);
  }

  /** A device as it was looked up before another one came and got its node. */
  private record Gone(String name, HostDevice successor) implements HostDevice {
    @Override
    public Path path() {
      return successor.path();
    }

    @Override
    public Optional<String> driver() {
      return successor.driver();
    }

    @Override
    public OptionalInt iommuGroup() {
      return successor.iommuGroup();
    }

    @Override
    public Optional<DeviceNode> cdev() {
      return successor.cdev();
    }

    @Override
    public boolean hasVfioDriver() {
      return true;
    }
  }

  @Test
  void theSuccessorOfADeviceIsNotOpenedUnderItsName() throws VfioException {
    HostDevice gone = new Gone("0000:00:06.0", machine.device());

    NoSuchDeviceException failure =
        catchThrowableOfType(
            NoSuchDeviceException.class,
            () -> new HostOpener(machine.host).open(gone, Backend.IOMMUFD));

    assertThat(failure.object()).isEqualTo("0000:00:06.0");
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }
}
