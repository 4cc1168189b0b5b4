package io.github.vfio4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Interrupts are connected to a virtual machine as long as both are there, and no longer. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmVmTest {
  private static final int GSI = 24;

  @TempDir Path root;
  private FakeMachine host;
  private VfioDevice device;
  private Interrupt interrupt;
  private TestVm monitor;
  private List<String> before;
  private KvmVm machine;

  @BeforeEach
  void start() throws VfioException {
    host = new FakeMachine(root);
    device = host.open(Backend.IOMMUFD);
    interrupt = device.pci().msix().enable(0);
    monitor = new TestVm(host);
    before = host.kernel.leftOpen();
    machine = monitor.open();
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
  void anInterruptIsConnectedUntilItsConnectionIsClosed() throws VfioException {
    Irqfd irqfd = machine.connect(interrupt, GSI);
    assertThat(host.kernel.leftOpen()).contains("irqfd to " + GSI);
    assertThat(irqfd.gsi()).isEqualTo(GSI);
    assertThat(irqfd).hasToString("irqfd from " + interrupt + " to a machine, interrupt " + GSI);

    irqfd.close();
    List<String> closed = host.kernel.leftOpen();
    assertThat(closed).doesNotContain("irqfd to " + GSI);
    Irqfd successor = machine.connect(interrupt, GSI);
    irqfd.close();
    assertThat(host.kernel.leftOpen()).contains("irqfd to " + GSI);
    successor.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(closed);
  }

  @Test
  void whateverFailsNothingIsConnected() throws Exception {
    monitor.assertUndone(() -> machine.connect(interrupt, GSI), 2);
    try (ResampleEvent resample = ResampleEvent.create(host.kernel)) {
      monitor.assertUndone(() -> machine.connect(interrupt, GSI, resample), 2);
    }
  }

  @Test
  void aLineIsUnmaskedByTheGuest() throws Exception {
    device.pci().msix().disable();
    Interrupt line = device.pci().intx().enable(0);
    Interrupt.Resample resample = line.resample();
    List<String> alone = host.kernel.leftOpen();

    Irqfd irqfd = machine.connect(line, GSI, resample);
    assertThat(host.kernel.leftOpen()).contains("irqfd to " + GSI + ", resampled");
    irqfd.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(alone);
    monitor.assertUndone(() -> machine.connect(line, GSI, resample), 2);

    resample.close();
    assertThatIllegalStateException().isThrownBy(() -> machine.connect(line, GSI, resample));
    Interrupt.Resample again = line.resample();
    machine.connect(line, GSI, again);
    line.close();
    machine.close();
    before = host.kernel.leftOpen();
  }

  @Test
  void whatUnmasksAnotherInterruptIsRefused() throws VfioException {
    device.pci().msix().disable();
    Interrupt line = device.pci().intx().enable(0);
    Interrupt.Resample resample = line.resample();
    line.close();
    Interrupt successor = device.pci().intx().enable(0);
    Interrupt.Resample foreign =
        new Interrupt.Resample() {
          @Override
          public void signal() {}

          @Override
          public void close() {}

          @Override
          public String toString() {
            return "foreign";
          }
        };

    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.connect(successor, GSI, resample))
        .withMessage("%s does not unmask %s", resample, successor);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.connect(successor, GSI, foreign))
        .withMessageContaining("foreign does not unmask");

    successor.close();
    machine.close();
    before = host.kernel.leftOpen();
  }

  @Test
  void refusalNamesWhatIsConnected() throws VfioException {
    Irqfd first = machine.connect(interrupt, GSI);
    List<String> connected = host.kernel.leftOpen();

    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(() -> machine.connect(interrupt, GSI + 1))
        .withMessage(
            "KVM_IRQFD on %s to a machine: EBUSY: the interrupt is connected to a machine already",
            interrupt);

    assertThat(host.kernel.leftOpen()).isEqualTo(connected);
    host.kernel.fail(Ioctl.KVM_IRQFD, Errno.EIO);
    assertThatThrownBy(() -> machine.connect(interrupt, GSI))
        .hasMessageContaining("the machine was made by another process");
    host.kernel.failNoMore();
    first.close();
  }

  @Test
  void aConnectionThatTheKernelDoesNotEndIsEndedByTheNextClosing() throws VfioException {
    Irqfd irqfd = machine.connect(interrupt, GSI);
    List<String> connected = host.kernel.leftOpen();
    host.kernel.fail(Ioctl.KVM_IRQFD, Errno.EIO);

    assertThatExceptionOfType(VfioException.class).isThrownBy(irqfd::close);
    assertThatExceptionOfType(VfioException.class).isThrownBy(machine::close);

    assertThat(host.kernel.leftOpen()).isEqualTo(connected);
    assertThatIllegalStateException().isThrownBy(() -> machine.connect(interrupt, GSI));
    assertThatIllegalStateException().isThrownBy(machine::createVfio);
    host.kernel.failNoMore();
    irqfd.close();
    machine.close();
    machine.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(before);
  }

  @Test
  void theMachineEndsWhatIsLeftTheYoungestFirst() throws VfioException {
    Irqfd irqfd = machine.connect(interrupt, GSI);
    KvmVfio devices = machine.createVfio();
    devices.close();
    machine.connect(device.pci().msix().enable(1), GSI + 1);
    host.kernel.log().clear();

    machine.close();

    assertThat(host.kernel.log()).containsExactly("KVM_IRQFD", "KVM_IRQFD");
    assertThat(host.kernel.leftOpen()).noneMatch(left -> left.startsWith("irqfd"));
    irqfd.close();
    device.pci().msix().disable();
    before = host.kernel.leftOpen();
  }

  @Test
  void aMachineThatIsClosedMeanwhileEndsWhatIsBeingConnected() throws Exception {
    monitor.makeWhileClosing(
        Ioctl.KVM_IRQFD, () -> machine.connect(interrupt, GSI), machine::close);

    assertThat(host.kernel.leftOpen()).isEqualTo(before);
  }

  @Test
  void aMachineThatIsClosedMeanwhileEndsWhatIsBeingMade() throws Exception {
    monitor.makeWhileClosing(Ioctl.KVM_CREATE_DEVICE, machine::createVfio, machine::close);

    assertThat(host.kernel.leftOpen()).isEqualTo(before);
  }

  @Test
  void whatIsClosedCannotBeConnected() throws VfioException {
    List<String> open = host.kernel.leftOpen();
    Interrupt closed = device.pci().msix().enable(1);
    closed.close();
    ResampleEvent over = ResampleEvent.create(host.kernel);
    over.close();

    assertThatIllegalStateException().isThrownBy(() -> machine.connect(closed, GSI));
    assertThatIllegalStateException().isThrownBy(() -> machine.connect(interrupt, GSI, over));

    assertThat(host.kernel.leftOpen()).isEqualTo(open);
  }

  @Test
  void aFileThatIsNoMachineIsRefused() {
    List<String> open = host.kernel.leftOpen();
    int fd = host.kernel.open("/dev/iommu", 0);

    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> KvmVm.ofFd(host.kernel, fd))
        .withMessageContaining("it is not the file of a virtual machine of KVM");

    host.kernel.close(fd);
    assertThat(host.kernel.leftOpen()).isEqualTo(open);
  }
}
