package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.TinyVm.INTERRUPT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Group;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.kvm.GuestWrite;
import io.github.vfio4j.kvm.Irqfd;
import io.github.vfio4j.kvm.KvmIoEventFd;
import io.github.vfio4j.kvm.KvmVfio;
import io.github.vfio4j.kvm.KvmVfioFile;
import io.github.vfio4j.kvm.KvmVm;
import io.github.vfio4j.kvm.ResampleEvent;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.IoEventFd;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A virtual machine of KVM gets to know devices, and their interrupts go straight to it. */
@OnMachine(value = "intel/legacy", since = "7.0")
@SuppressWarnings("try") // closed early, and again
class KvmTest extends EduTests {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;

  private static HostDevice edu() throws VfioException {
    return Sysfs.host().device(Machine.EDU);
  }

  @Test
  void deviceIsAddedBeforeItIsBoundAndLetGoWithIt() throws IOException {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        KvmVfio devices = machine.createVfio();
        Iommufd iommufd = Iommufd.open();
        UnboundDevice node = UnboundDevice.open(edu())) {
      KvmVfioFile entry = devices.add(node);
      assertThatThrownBy(() -> devices.add(node))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("the machine has it already");
      CdevDevice device = iommufd.bind(node);
      assertThatIllegalStateException()
          .isThrownBy(() -> devices.add(node))
          .withMessageContaining("is bound already; what is to know of it before comes before");
      assertThatIllegalStateException().isThrownBy(() -> iommufd.bind(node));
      device.close();
      entry.close();

      // KVM has let go of the file, or the kernel would have the device open still
      try (UnboundDevice again = UnboundDevice.open(edu())) {
        devices.add(again);
        again.close();
        again.close();
        assertThatIllegalStateException().isThrownBy(() -> devices.add(again));
      }
      CdevDevice last = iommufd.bind(edu());
      last.attach(iommufd.allocateIoas());
    }
  }

  @Test
  void entryAndMachineMayEndFirst() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        UnboundDevice node = UnboundDevice.open(edu());
        UnboundDevice other = UnboundDevice.open(Sysfs.host().device(Machine.EDU_2))) {
      CdevDevice device;
      try (TinyVm tiny = new TinyVm();
          KvmVm machine = KvmVm.ofFd(tiny.fd())) {
        KvmVfio devices = machine.createVfio();
        KvmVfioFile entry = devices.add(node);
        entry.close();
        entry.close();
        devices.add(node);
        devices.add(other);
        device = iommufd.bind(node);
        devices.close();
        devices.close();
        assertThatIllegalStateException().isThrownBy(() -> devices.add(other));
        KvmVfio more = machine.createVfio();
        more.add(other);
      }
      device.attach(iommufd.allocateIoas());
      iommufd.bind(other).attach(iommufd.allocateIoas());
    }
  }

  @Test
  void groupIsAddedBeforeItsDevicesAreOpenedAndLetGoWithIt() throws IOException {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        KvmVfio devices = machine.createVfio()) {
      int number = edu().iommuGroup().orElseThrow();
      try (Container container = Container.open()) {
        Group group = container.group(number);
        devices.add(group);
        assertThatThrownBy(() -> devices.add(group)).isInstanceOf(DeviceBusyException.class);
        container.openDevice(edu());
        assertThatIllegalStateException()
            .isThrownBy(() -> devices.add(group))
            .withMessageContaining("a device of group " + number + " is open already");
      }
      VfioDevice.open(Machine.EDU, Backend.CONTAINER).close();
    }
  }

  @Test
  void whatIsNoMachineOrHasNoRoomIsRefused() throws IOException {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        KvmVfio devices = machine.createVfio()) {
      assertThatThrownBy(() -> KvmVm.ofFd(tiny.fdOfKvm()))
          .isInstanceOf(NoSuchDeviceException.class)
          .hasMessageContaining("not the file of a virtual machine");
      assertThatThrownBy(() -> KvmVm.ofFd(-1)).isInstanceOf(VfioException.class);
      assertThatThrownBy(machine::createVfio)
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("it has one already");
      devices.close();
      machine.close();
      assertThatIllegalStateException().isThrownBy(machine::createVfio);
    }
  }

  @Test
  void interruptGoesStraightToTheGuest() throws Exception {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        VfioDevice device = VfioDevice.open(edu());
        Interrupt msi = device.pci().msi().enable(0)) {
      assertThatThrownBy(() -> machine.connect(msi, INTERRUPT))
          .isInstanceOfSatisfying(
              VfioException.class, e -> assertThat(e.errno()).contains(Errno.EINVAL))
          .hasMessageContaining("no interrupt controller");
      tiny.createInterruptController();
      Irqfd irqfd = machine.connect(msi, INTERRUPT);
      assertThat(irqfd.gsi()).isEqualTo(INTERRUPT);
      assertThatThrownBy(() -> machine.connect(msi, INTERRUPT))
          .isInstanceOf(DeviceBusyException.class);
      assertThat(tiny.isRequested()).isFalse();

      msi.trigger();

      assertThat(tiny.awaitRequest()).isTrue();
      assertThat(msi.awaitNanos(0)).isZero();

      irqfd.close();
      irqfd.close();
      msi.trigger();
      assertThat(msi.await(SOON)).isEqualTo(1);

      Irqfd outlives = machine.connect(msi, INTERRUPT);
      msi.close();
      assertThatIllegalStateException().isThrownBy(() -> machine.connect(msi, INTERRUPT));
      outlives.close();
    }
  }

  @Test
  void lineGoesToTheGuestAndIsUnmaskedByIt() throws Exception {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        VfioDevice device = VfioDevice.open(edu());
        MappedRegion registers = device.pci().bar(0).map();
        Interrupt line = device.pci().intx().enable(0);
        Interrupt.Resample resample = line.resample()) {
      tiny.createInterruptController();
      tiny.start();
      Irqfd irqfd = machine.connect(line, INTERRUPT, resample);

      for (int i = 0; i < 3; i++) {
        registers.setInt(RAISE, 1);
        assertThat(tiny.awaitRequest()).as("time %d", i).isTrue();
        registers.setInt(ACKNOWLEDGE, 1);
        tiny.run(); // without whose end of interrupt the line would stay masked
        assertThat(tiny.isRequested()).isFalse();
      }

      assertThat(line.awaitNanos(0)).isZero();
      irqfd.close();
      registers.setInt(RAISE, 1);
      assertThat(line.await(SOON)).isEqualTo(1);
      registers.setInt(ACKNOWLEDGE, 1);
      resample.signal();
    }
  }

  @Test
  void writeOfTheGuestRingsADoorbellOfTheDevice() throws IOException {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        ResampleEvent resample = ResampleEvent.create();
        VfioDevice device = VfioDevice.open(edu());
        Interrupt msi = device.pci().msi().enable(0);
        IoEventFd raise = IoEventFd.ofInt(device, 0, RAISE, 1)) {
      device.pci().config().setBusMaster(true); // or it cannot raise it
      tiny.createInterruptController();
      tiny.start();
      machine.connect(msi, INTERRUPT, resample);
      GuestWrite output = GuestWrite.toPort(TinyVm.OUTPUT, 1).of(TinyVm.UNINTERRUPTED);
      KvmIoEventFd connection = machine.connect(output, raise);
      assertThatThrownBy(() -> machine.connect(output, raise))
          .isInstanceOfSatisfying(
              VfioException.class, e -> assertThat(e.errno()).contains(Errno.EEXIST));

      tiny.run(); // its output raises the interrupt, after which it puts out something else

      assertThat(resample.await(SOON)).isPositive();
      connection.close();
      connection.close();
      for (GuestWrite each :
          List.of(
              output,
              GuestWrite.toPort(TinyVm.OUTPUT, 0),
              GuestWrite.toMemory(0xfe00_0000L, 4),
              GuestWrite.toMemory(0xfe00_0000L, 8).of(1))) {
        machine.connect(each, raise).close();
      }
      machine.connect(GuestWrite.toMemory(0xfe00_0000L, 0), raise);
    }
  }

  @Test
  void guestTellsWhenItHasDealtWithAnInterrupt() throws IOException {
    try (TinyVm tiny = new TinyVm();
        KvmVm machine = KvmVm.ofFd(tiny.fd());
        ResampleEvent resample = ResampleEvent.create();
        VfioDevice device = VfioDevice.open(edu());
        Interrupt msi = device.pci().msi().enable(0)) {
      tiny.createInterruptController();
      tiny.start();
      machine.connect(msi, INTERRUPT, resample);
      msi.trigger();
      assertThat(resample.await(Duration.ofMillis(50))).isZero();

      tiny.run();

      assertThat(resample.await(SOON)).isEqualTo(1);
      resample.close();
      assertThatIllegalStateException().isThrownBy(() -> resample.await(Duration.ZERO));
    }
  }
}
