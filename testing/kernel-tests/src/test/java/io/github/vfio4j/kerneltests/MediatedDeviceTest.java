package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernel's sample of a serial port card, a device of software that needs no IOMMU. */
@OnMachine(since = "6.6")
class MediatedDeviceTest {
  private static final UUID NAME = SerialPort.NAME;
  private static final int PORT_SIZE = 8;
  private static final int SCRATCH = 7;
  private static final int INTERRUPT_ENABLE = 1;
  private static final int TRANSMITTER_EMPTY = 2;

  private final Sysfs sysfs = Sysfs.host();
  private MediatedDevice mtty;

  @BeforeEach
  void create() throws VfioException {
    mtty = SerialPort.create();
  }

  @AfterEach
  void remove() throws VfioException {
    if (sysfs.mediatedDevices().stream().anyMatch(device -> device.uuid().equals(NAME))) {
      sysfs.remove(mtty);
    }
  }

  @Test
  void createdDeviceIsDiscoveredUntilItIsRemoved() throws VfioException {
    assertThat(mtty.type()).isEqualTo("mtty-1");
    assertThat(mtty.parent()).isEqualTo("mtty");
    assertThat(mtty.hasVfioDriver()).isTrue();
    assertThat(mtty.cdev().orElseThrow().path()).exists();
    assertThat(sysfs.mediatedDevices()).containsExactly(mtty);
    assertThat(sysfs.device(NAME.toString())).isEqualTo(mtty);
    assertThat(sysfs.deviceAt(mtty.path())).isEqualTo(mtty);
    int left = SerialPort.type().availableInstances();

    sysfs.remove(mtty);

    assertThat(sysfs.mediatedDevices()).isEmpty();
    assertThat(SerialPort.type().availableInstances()).isEqualTo(left + 1);
    assertThatThrownBy(() -> sysfs.device(NAME)).isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> VfioDevice.open(mtty.path()))
        .isInstanceOf(NoSuchDeviceException.class);
  }

  @Test
  void nameIsGivenOnce() throws VfioException {
    MediatedType type = SerialPort.type();

    assertThatThrownBy(() -> sysfs.create(type, NAME))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("EEXIST");
  }

  @EachBackend
  void registersAreReadAndWritten(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(mtty, backend)) {
      assertThat(device.name()).isEqualTo(NAME.toString());
      assertThat(device.choice().backend()).isEqualTo(backend);
      assertThat(device.info().pci()).isTrue();
      assertThat(device.pci().config().vendorId()).isEqualTo(0x4348);
      assertThat(device.pci().config().deviceId()).isEqualTo(0x3253);
      Region port = device.region(0);
      assertThat(port.size()).isEqualTo(PORT_SIZE);
      assertThat(port.info().mappable()).isFalse();

      port.writeByte(SCRATCH, (byte) 0x5a);
      assertThat(port.readByte(SCRATCH)).isEqualTo((byte) 0x5a);
    }
  }

  @EachBackend
  void lineInterruptArrives(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(mtty, backend)) {
      assertThat(device.pci().intx().count()).isEqualTo(1);
      try (Interrupt line = device.pci().intx().enable(0)) {
        assertThat(line.await(Duration.ZERO)).isZero();

        device.region(0).writeByte(INTERRUPT_ENABLE, (byte) TRANSMITTER_EMPTY);

        assertThat(line.await(Duration.ofSeconds(20))).isPositive();
      }
    }
  }

  /** The kernel pins a mediated device's memory when its driver asks, not when it is mapped. */
  @EachBackend
  void memoryIsMappedWithoutBeingPinned(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(mtty, backend);
        DmaBuffer buffer = device.addressSpace().allocate(EduDma.PAGE)) {
      device.addressSpace().map(EduDma.pages(arena, 4), 1L << 40, READ_WRITE);

      assertThat(buffer.size()).isEqualTo(EduDma.PAGE);
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  @Test
  void deviceIsOpenedByItsNodeToo() throws IOException {
    try (VfioDevice device = VfioDevice.open(mtty.cdev().orElseThrow().path())) {
      assertThat(device.name()).isEqualTo(NAME.toString());
      assertThat(device.choice().backend()).isEqualTo(Backend.IOMMUFD);
    }
  }
}
