package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Untraced;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What {@code vfio_iommufd_setup_test.c} tries, with this library. */
final class IommufdSetupCases {
  private IommufdSetupCases() {}

  private static HostDevice device(Variant variant) throws VfioException {
    return Sysfs.host().device(variant.device());
  }

  static void boundDeviceTellsWhatItIs(Variant variant) throws VfioException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = iommufd.bind(device(variant));

      assertThat(device.info().pci()).isTrue();
      assertThat(device.attached()).isEmpty();
    }
  }

  /** The library has no such device: it binds what it opens. So this asks for itself. */
  static void openFileThatIsNotBoundTellsNothing(Variant variant) throws VfioException {
    Kernel kernel = Untraced.kernel();
    int file = kernel.open(device(variant).cdev().orElseThrow().path().toString(), 2);
    assertThat(file).isPositive();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(vfio_device_info.LAYOUT);
      vfio_device_info.argsz(info, (int) vfio_device_info.SIZEOF);
      assertThat(kernel.ioctl(file, Ioctl.VFIO_DEVICE_GET_INFO.number(), info))
          .isEqualTo(-Errno.EINVAL.number());
    } finally {
      kernel.close(file);
    }
  }

  static void iommufdThatIsClosedBindsNothing(Variant variant) throws VfioException {
    HostDevice device = device(variant);
    Iommufd iommufd = Iommufd.open();
    iommufd.close();

    assertThatIllegalStateException().isThrownBy(() -> iommufd.bind(device));
  }

  static void boundDeviceIsNotBoundAgain(Variant variant) throws VfioException {
    HostDevice device = device(variant);
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice bound = iommufd.bind(device);

      assertThatThrownBy(() -> iommufd.bind(device)).isInstanceOf(DeviceBusyException.class);

      assertThat(bound.isClosed()).isFalse();
      bound.attach(iommufd.allocateIoas());
    }
  }

  static void deviceIsAttachedAndDetached(Variant variant) throws VfioException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = iommufd.bind(device(variant));
      Ioas ioas = iommufd.allocateIoas();

      device.attach(ioas);
      assertThat(device.attached()).containsSame(ioas);
      device.detach();

      assertThat(device.attached()).isEmpty();
      ioas.close();
    }
  }

  static void pageTableThatIsGoneIsNotAttached(Variant variant) throws VfioException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = iommufd.bind(device(variant));
      Ioas ioas = iommufd.allocateIoas();
      ioas.close();

      assertThatIllegalStateException().isThrownBy(() -> device.attach(ioas));

      assertThat(device.attached()).isEmpty();
    }
  }
}
