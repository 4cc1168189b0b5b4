package io.github.vfio4j.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.FakeRegions;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernel writes for an eventfd as long as that is open, and never once the device is not. */
class IoEventFdTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private List<String> openBefore;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    openBefore = machine.kernel.leftOpen();
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void oneIsAddedAndRemovedForEachValue() throws VfioException {
    IoEventFd zero = IoEventFd.ofByte(device, 2, 7, (byte) -1);
    IoEventFd one = IoEventFd.ofShort(device, 2, 6, (short) 1);
    zero.signal();
    assertThat(machine.ioEvents.count()).isEqualTo(2);
    assertThat(zero)
        .hasToString("the ioeventfd of 0xff, 8 bits, at 0x7 of region 2 of " + device.name());

    zero.close();
    zero.close();
    assertThat(machine.ioEvents.count()).isEqualTo(1);
    assertThatIllegalStateException().isThrownBy(zero::signal);
    one.signal();

    IoEventFd.ofByte(device, 2, 7, (byte) -1).close();
    one.close();
    assertThat(machine.kernel.leftOpen()).isEqualTo(openBefore);
  }

  @Test
  void theDeviceEndsWhatIsLeft() throws VfioException {
    IoEventFd left = IoEventFd.ofLong(device, 0, 8, Long.MIN_VALUE);

    device.close();

    assertThat(machine.ioEvents.count()).isZero();
    assertThatIllegalStateException().isThrownBy(left::signal);
    left.close();
    assertThatIllegalStateException().isThrownBy(() -> IoEventFd.ofInt(device, 0, 0, 1));
  }

  @Test
  void whatTheKernelDoesNotTakeIsRefusedBefore() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IoEventFd.ofShort(device, 0, 1, (short) 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> IoEventFd.ofLong(device, 0, 4, 0))
        .withMessageContaining("Offset 0x4 of region 0 of " + device.name());
    int end = FakeRegions.SIZE;
    for (long offset : new long[] {-4, end - 3, end, Long.MAX_VALUE - 3, Long.MIN_VALUE}) {
      assertThatThrownBy(() -> IoEventFd.ofInt(device, 0, offset, 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
    for (int bar : new int[] {-1, 6}) {
      assertThatThrownBy(() -> IoEventFd.ofInt(device, bar, 0, 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
    assertThat(machine.ioEvents.count()).isZero();
    assertThat(machine.kernel.leftOpen()).isEqualTo(openBefore);
  }

  @Test
  void refusalLeavesNothingAndNamesTheRegister() throws VfioException {
    IoEventFd first = IoEventFd.ofInt(device, 0, 0x10, 3);
    List<String> open = machine.kernel.leftOpen();

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> IoEventFd.ofInt(device, 0, 0x10, 3))
        .withMessage(
            "VFIO_DEVICE_IOEVENTFD on the ioeventfd of 0x3, 32 bits, at 0x10 of region 0 of "
                + device.name()
                + ": EEXIST: it has one for this value");

    assertThat(machine.kernel.leftOpen()).isEqualTo(open);
    first.signal();
    machine.kernel.fail(Ioctl.VFIO_DEVICE_IOEVENTFD, Errno.EIO);
    assertThatExceptionOfType(VfioException.class).isThrownBy(first::close);
    first.signal();
    assertThat(machine.ioEvents.count()).isEqualTo(1);
    machine.kernel.failNoMore();
    first.close();
    assertThat(machine.kernel.leftOpen()).isEqualTo(openBefore);
  }
}
