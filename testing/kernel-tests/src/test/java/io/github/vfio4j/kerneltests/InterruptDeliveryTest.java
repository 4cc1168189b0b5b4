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
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
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
@Bound({Device.EDU, Device.NVME})
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
