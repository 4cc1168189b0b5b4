package io.github.vfio4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.pci.IoEventFd;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest's write rings a doorbell as long as both are connected, and only the one that is meant.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmIoEventFdTest {
  private static final long WHERE = 0xfe00_1000L;
  private static final GuestWrite WRITE = GuestWrite.toMemory(WHERE, 4);

  @TempDir Path root;
  private FakeMachine host;
  private VfioDevice device;
  private IoEventFd doorbell;
  private TestVm monitor;
  private List<String> before;
  private KvmVm machine;
  private List<String> open;

  @BeforeEach
  void start() throws VfioException {
    host = new FakeMachine(root);
    device = host.open(Backend.IOMMUFD);
    doorbell = IoEventFd.ofInt(device, 0, 8, 1);
    monitor = new TestVm(host);
    before = host.kernel.leftOpen();
    machine = monitor.open();
    open = host.kernel.leftOpen();
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    machine.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(before);
    monitor.close();
    device.close();
    assertThat(host.kernel.leftOpen()).isEmpty();
  }

  @Test
  void eachKindOfWriteIsConnectedAndEnds() throws VfioException {
    for (GuestWrite write :
        List.of(
            WRITE,
            WRITE.of(0xffff_ffffL),
            GuestWrite.toMemory(-8, 8).of(-1),
            GuestWrite.toMemory(WHERE, 0),
            GuestWrite.toPort(0xffff, 1).of(0xff),
            GuestWrite.toPort(0, 0))) {
      KvmIoEventFd connection = machine.connect(write, doorbell);
      assertThat(host.kernel.leftOpen()).hasSize(open.size() + 2);
      assertThat(connection.write()).isEqualTo(write);
      assertThat(connection).hasToString("ioeventfd by " + write + " of a machine");
      connection.close();
      connection.close();
      assertThat(host.kernel.leftOpen()).isEqualTo(open);
    }
    assertThat(WRITE.of(7)).hasToString("a write of 0x7, 32 bits at 0xfe001000");
    assertThat(GuestWrite.toPort(0x60, 0)).hasToString("a write of any length at port 0x60");
  }

  @Test
  void eachValueRingsADoorbellOfItsOwn() throws VfioException {
    IoEventFd other = IoEventFd.ofInt(device, 0, 8, 2);
    KvmIoEventFd one = machine.connect(WRITE.of(1), doorbell);
    machine.connect(WRITE.of(2), other);
    List<String> connected = host.kernel.leftOpen();
    for (GuestWrite taken : List.of(WRITE.of(2), WRITE)) {
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> machine.connect(taken, doorbell))
          .withMessage(
              "KVM_IOEVENTFD on %s of a machine: EEXIST: the machine has one for such a write"
                  + " already",
              taken);
    }
    assertThat(host.kernel.leftOpen()).isEqualTo(connected);
    one.close();
    machine.close();
    other.close();
  }

  @Test
  void whateverFailsNothingIsConnected() throws Exception {
    monitor.assertUndone(() -> machine.connect(WRITE, doorbell), 2);
  }

  @Test
  void whatTheKernelDoesNotEndIsEndedByTheNextClosing() throws VfioException {
    KvmIoEventFd connection = machine.connect(WRITE, doorbell);
    List<String> connected = host.kernel.leftOpen();
    host.kernel.fail(Ioctl.KVM_IOEVENTFD, Errno.EIO);

    assertThatExceptionOfType(VfioException.class).isThrownBy(connection::close);
    assertThatExceptionOfType(VfioException.class).isThrownBy(machine::close);

    assertThat(host.kernel.leftOpen()).isEqualTo(connected);
    host.kernel.failNoMore();
    machine.close();
    connection.close();
  }

  @Test
  void aMachineThatIsClosedMeanwhileEndsWhatIsBeingConnected() throws Exception {
    monitor.makeWhileClosing(
        Ioctl.KVM_IOEVENTFD, () -> machine.connect(WRITE, doorbell), machine::close);

    assertThat(host.kernel.leftOpen()).isEqualTo(before);
    assertThatIllegalStateException().isThrownBy(() -> machine.connect(WRITE, doorbell));
  }

  @Test
  void aDoorbellThatIsClosedIsRefusedAndMayBeClosedWhileItIsConnected() throws VfioException {
    KvmIoEventFd connection = machine.connect(WRITE, doorbell);
    doorbell.close();

    connection.close();

    assertThatIllegalStateException().isThrownBy(() -> machine.connect(WRITE, doorbell));
    machine.close();
    before = host.kernel.leftOpen();
  }

  @ParameterizedTest
  @CsvSource({
    "false, 0, 3, -1",
    "false, 0, 16, -1",
    "false, 0, -8, -1",
    "false, -4, 8, -1",
    "true, 65535, 2, -1",
    "true, 65536, 1, -1",
    "true, -1, 1, -1",
    "false, 0, 0, 5",
    "false, 0, 1, 256",
    "false, 0, 4, 4294967296"
  })
  void whatNoGuestWritesIsRefused(boolean port, long address, int bytes, long data) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new GuestWrite(
                    port, address, bytes, data < 0 ? OptionalLong.empty() : OptionalLong.of(data)));
  }
}
