package io.github.vfio4j.kerneltests;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.IrqIndex.TooFewVectorsException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Interrupts of every kind reach who waits for them. */
@OnMachine(OnMachine.IOMMU)
@Bound({Device.EDU, Device.NVME, Device.XHCI})
class InterruptDeliveryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int RAISE = 0x60;
  private static final int ACKNOWLEDGE = 0x64;

  @EachBackend
  void deviceTellsWhichKindsItHas(Backend backend) throws IOException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(edu.pci().intx().count()).isEqualTo(1);
      assertThat(edu.pci().intx().maskable()).isTrue();
      assertThat(edu.pci().intx().automasked()).isTrue();
      assertThat(edu.pci().msi().count()).isEqualTo(1);
      assertThat(edu.pci().msi().automasked()).isFalse();
      assertThat(edu.pci().msix().count()).isZero();
      assertThat(edu.pci().request().count()).isEqualTo(1);
      assertThat(edu.pci().msi()).isSameAs(edu.pci().msi());
      assertThatThrownBy(() -> edu.irq(5)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> edu.irq(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(nvme.pci().msix().count()).isEqualTo(65);
      assertThat(nvme.pci().error().count()).isEqualTo(1);
    }
  }

  @EachBackend
  void messageArrivesEachTimeTheDeviceSendsOne(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        MappedRegion registers = device.region(0).map()) {
      device.pci().config().setBusMaster(true);
      try (Interrupt message = device.pci().msi().enable(0)) {
        assertThat(message.vector()).isZero();
        assertThat(message.await(Duration.ZERO)).isZero();
        assertThat(message.await(Duration.ofMillis(1))).isZero();
        for (int i = 0; i < 3; i++) {
          registers.setInt(RAISE, 1);
          assertThat(message.await(PATIENCE)).isEqualTo(1);
          registers.setInt(ACKNOWLEDGE, 1);
        }
        assertThat(message.awaitNanos(0)).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> message.await(Duration.ofNanos(-1)));
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(message::mask);
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(message::unmask);
      }
      registers.setInt(RAISE, 1); // nobody listens
      registers.setInt(ACKNOWLEDGE, 1);
      try (Interrupt again = device.pci().msi().enable(0)) {
        registers.setInt(RAISE, 1);
        assertThat(again.await(PATIENCE)).isEqualTo(1);
        registers.setInt(ACKNOWLEDGE, 1);
      }
    }
  }

  @EachBackend
  void lineFiresOnceUntilItIsUnmasked(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        MappedRegion registers = device.region(0).map();
        Interrupt line = device.pci().intx().enable(0)) {
      registers.setInt(RAISE, 1);
      assertThat(line.await(PATIENCE)).isEqualTo(1);
      registers.setInt(RAISE, 2);
      assertThat(line.await(Duration.ofMillis(10))).isZero();

      line.unmask(); // while the device still holds it
      assertThat(line.await(PATIENCE)).isEqualTo(1);

      registers.setInt(ACKNOWLEDGE, 3);
      line.unmask();
      assertThat(line.await(Duration.ofMillis(10))).isZero();
      line.mask();
      registers.setInt(RAISE, 1);
      assertThat(line.await(Duration.ofMillis(10))).isZero();
      line.unmask();
      assertThat(line.await(PATIENCE)).isEqualTo(1);
      registers.setInt(ACKNOWLEDGE, 1);
    }
  }

  @EachBackend
  void lineFiresAgainWhenAnEventfdUnmasksIt(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        MappedRegion registers = device.region(0).map();
        Interrupt line = device.pci().intx().enable(0)) {
      Interrupt.Resample resample = line.resample();
      assertThatThrownBy(line::resample).isInstanceOf(DeviceBusyException.class);
      registers.setInt(RAISE, 1);
      assertThat(line.await(PATIENCE)).isEqualTo(1);
      assertThat(line.await(Duration.ofMillis(10))).isZero();

      resample.signal(); // while the device still holds it
      assertThat(line.await(PATIENCE)).isEqualTo(1);
      registers.setInt(ACKNOWLEDGE, 1);
      resample.signal();
      assertThat(line.await(Duration.ofMillis(10))).isZero();
      registers.setInt(RAISE, 1);
      assertThat(line.await(PATIENCE)).isEqualTo(1);

      resample.close();
      assertThatIllegalStateException().isThrownBy(resample::signal);
      assertThat(line.await(Duration.ofMillis(10))).isZero();
      line.unmask();
      assertThat(line.await(PATIENCE)).isEqualTo(1);
      try (Interrupt.Resample again = line.resample()) {
        again.signal();
        assertThat(line.await(PATIENCE)).isEqualTo(1);
      }
      registers.setInt(ACKNOWLEDGE, 1);
    }
  }

  @EachBackend
  void closingALineEndsWhatUnmasksIt(Backend backend) throws IOException {
    VfioDevice device = VfioDevice.open(Machine.EDU, backend);
    try (device) {
      Interrupt line = device.pci().intx().enable(0);
      Interrupt.Resample left = line.resample();
      line.close();
      assertThatIllegalStateException().isThrownBy(left::signal);

      Interrupt.Resample last = device.pci().intx().enable(0).resample();
      last.signal();
      device.close();
      last.close();
      assertThatIllegalStateException().isThrownBy(last::signal);
    }
  }

  @EachBackend
  void someVectorsFireByOneCall(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      IrqIndex vectors = device.pci().msix();
      List<Interrupt> five = vectors.enable(5, 6, 7, 8, 9);

      vectors.trigger(9, 5, 7);

      for (Interrupt vector : five) {
        assertThat(vector.await(Duration.ZERO)).isEqualTo(vector.vector() % 2);
      }
      assertThatIllegalStateException()
          .isThrownBy(() -> vectors.trigger(5, 4))
          .withMessageContaining("vector 4 of MSI-X of " + Machine.NVME + " is not enabled");
      assertThat(five.getFirst().await(Duration.ZERO)).isZero();
    }
  }

  @EachBackend
  void errorsAndRequestsFireWhenTriggered(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      for (IrqIndex kind : List.of(device.pci().error(), device.pci().request())) {
        Interrupt interrupt = kind.enable(0);
        interrupt.trigger();
        kind.trigger(0);
        assertThat(interrupt.await(PATIENCE)).isEqualTo(2);
        assertThatExceptionOfType(UnsupportedOperationException.class)
            .isThrownBy(interrupt::resample);
        interrupt.close();
        kind.enable(0).close();
      }
    }
  }

  /** Without interrupt remapping, a PC has one message of a device at a time. */
  @EachBackend
  void fewerMessagesThanAreAskedForAreTold(Backend backend) throws IOException {
    boolean remapped = !Guest.current().machine().equals("virtio");
    try (VfioDevice device = VfioDevice.open(Device.XHCI.address(), backend)) {
      IrqIndex messages = device.pci().msi();
      assertThat(messages.count()).isEqualTo(16);
      if (!remapped) {
        assertThatExceptionOfType(TooFewVectorsException.class)
            .isThrownBy(() -> messages.enable(0, 3))
            .withMessageContaining("only the first 1 vectors can be had here, not 4")
            .satisfies(e -> assertThat(e.available()).isEqualTo(1));
      }

      List<Interrupt> had = messages.enableUpTo(4);

      assertThat(had).hasSize(remapped ? 4 : 1);
      assertFiresAlone(had.getLast(), had.subList(0, had.size() - 1).toArray(Interrupt[]::new));
      if (remapped) {
        messages.disable();
        assertThat(messages.enableUpTo(100)).hasSize(16);
      }
    }
  }

  @EachBackend
  void secondKindIsRefusedAndTheFirstGoesOn(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Interrupt message = device.pci().msi().enable(0)) {
      assertThatThrownBy(() -> device.pci().intx().enable(0))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("VFIO_DEVICE_SET_IRQS");
                assertThat(e.object()).isEqualTo("INTx of " + Machine.EDU);
                assertThat(e.errno()).contains(Errno.EINVAL);
              });

      message.trigger();
      assertThat(message.await(PATIENCE)).isEqualTo(1);
    }
  }

  @EachBackend
  void vectorsAreEnabledWithHolesAndOneByOne(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      IrqIndex vectors = device.pci().msix();
      assertThat(vectors.resizable()).isEqualTo(Machine.hasCdev());
      List<Interrupt> pair = vectors.enable(5, 1);
      Interrupt five = pair.getFirst();
      Interrupt one = pair.getLast();
      assertThat(five.vector()).isEqualTo(5);
      assertFiresAlone(five, one);
      assertFiresAlone(one, five);

      Interrupt three = vectors.enable(3);
      assertFiresAlone(three, one, five);
      Interrupt last = vectors.enable(64);
      assertFiresAlone(last, one, three, five);
      assertFiresAlone(one, three, five, last);

      three.close();
      three.close();
      assertFiresAlone(five, one, last);
      Interrupt again = vectors.enable(3);
      assertFiresAlone(again, one, five, last);

      vectors.disable();
      assertThatIllegalStateException().isThrownBy(() -> one.await(Duration.ZERO));
      Interrupt zero = vectors.enable(0);
      assertFiresAlone(zero);
    }
  }

  private static void assertFiresAlone(Interrupt fired, Interrupt... others) throws IOException {
    fired.trigger();
    fired.trigger();
    assertThat(fired.await(PATIENCE)).isEqualTo(2);
    for (Interrupt other : others) {
      assertThat(other.await(Duration.ZERO)).isZero();
    }
  }

  @EachBackend
  void vectorsThatCannotBeEnabledAreRefused(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      IrqIndex vectors = device.pci().msix();
      Interrupt one = vectors.enable(1);

      assertThatThrownBy(() -> vectors.enable(1))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("vector 1 of MSI-X of " + Machine.NVME);
      assertThatThrownBy(() -> vectors.enable(2, 1)).isInstanceOf(DeviceBusyException.class);
      assertThatThrownBy(() -> vectors.enable(65))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("has 65 vectors, no vector 65");
      assertThatThrownBy(() -> vectors.enable(-1)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatIllegalArgumentException().isThrownBy(() -> vectors.enable(2, 2));
      assertThatIllegalArgumentException().isThrownBy(vectors::enable);

      assertFiresAlone(vectors.enable(2), one);
      assertFiresAlone(one);
    }
  }

  @EachBackend
  void eachSignalWakesOneWaiter(Backend backend) throws Exception {
    try (var threads = Executors.newFixedThreadPool(2);
        VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      Interrupt vector = device.pci().msix().enable(0);
      Callable<Long> wait = () -> vector.await(PATIENCE);
      Future<Long> first = threads.submit(wait);
      Future<Long> second = threads.submit(wait);

      vector.trigger();
      while (!first.isDone() && !second.isDone()) {
        Thread.onSpinWait();
      }
      vector.trigger();

      assertThat(first.get() + second.get()).isEqualTo(2);
    }
  }

  @EachBackend
  void closingWakesWhoWaits(Backend backend) throws Exception {
    VfioDevice device = VfioDevice.open(Machine.NVME, backend);
    try (var threads = Executors.newFixedThreadPool(4);
        device) {
      List<Interrupt> vectors = device.pci().msix().enable(0, 1);
      Interrupt zero = vectors.getFirst();
      Interrupt one = vectors.getLast();
      Future<Long> first = threads.submit(() -> zero.awaitNanos(-1));
      Future<Long> second = threads.submit(() -> zero.await(Duration.ofDays(100_000_000)));
      Future<Long> third = threads.submit(() -> one.await(PATIENCE));

      zero.close();
      assertWoken(first);
      assertWoken(second);
      one.trigger();
      assertThat(third.get()).isEqualTo(1);

      Future<Long> last = threads.submit(() -> one.awaitNanos(-1));
      device.close();
      assertWoken(last);
    }
  }

  private static void assertWoken(Future<Long> waiter) {
    assertThatThrownBy(() -> waiter.get(PATIENCE.toSeconds(), SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }
}
