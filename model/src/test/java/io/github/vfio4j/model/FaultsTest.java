package io.github.vfio4j.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault that can be set is what the driver meets. */
class FaultsTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  private final Scratch model = new Scratch(Scratch.plain());
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    host = ModelHost.of("scratch", model);
    device = host.open();
    device.pci().config().setBusMaster(true);
  }

  @AfterEach
  void close() throws VfioException {
    host.close();
  }

  @Test
  void interruptsGetLostAndComeUncalled() throws VfioException {
    Interrupt message = device.pci().msix().enable(2);
    host.faults().loseInterrupts(2);

    model.bus().raiseMessage(2);
    model.bus().raiseMessage(2);
    assertThat(message.await(Duration.ZERO)).isZero();
    model.bus().raiseMessage(2);
    assertThat(message.await(LONG)).isEqualTo(1);
    host.raiseSpuriousInterrupt(2);
    assertThat(message.await(LONG)).isEqualTo(1);
  }

  @Test
  void fewerVectorsThanAskedAreAnExceptionThatSaysHowMany() throws VfioException {
    host.faults().limitMsix(2);

    assertThatThrownBy(() -> device.pci().msix().enable(0, 1, 2))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("2 vectors");
    Interrupt first = device.pci().msix().enable(0);
    assertThatThrownBy(() -> device.pci().msix().enable(3)).isInstanceOf(VfioException.class);
    model.bus().raiseMessage(0);
    assertThat(first.await(LONG)).isEqualTo(1);
    host.faults().limitMsix(0);
    first.close();
    assertThatThrownBy(() -> device.pci().msix().enable(0))
        .satisfies(
            e -> assertThat(((VfioException) e).errno()).isEqualTo(Optional.of(Errno.ENOSPC)));
  }

  @Test
  void lateDmaArrivesLateOrNotAtAll() throws Exception {
    try (DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      MemorySegment bytes = MemorySegment.ofArray(new byte[] {1, 2, 3});
      host.faults().delayDma(Duration.ofMillis(30));

      model.bus().write(buffer.iova(), bytes);
      assertThat(buffer.segment().get(JAVA_BYTE, 0)).isZero();
      for (int i = 0; buffer.segment().get(JAVA_BYTE, 2) == 0 && i < 1000; i++) {
        Thread.sleep(10);
      }
      assertThat(buffer.segment().get(JAVA_BYTE, 2)).isEqualTo((byte) 3);

      host.faults().delayDma(Duration.ofHours(1));
      model.bus().write(buffer.iova() + 8, bytes);
      device.reset(); // ends it
      assertThat(buffer.segment().get(JAVA_BYTE, 8)).isZero();
    }
    assertThat(host.dmaFaults()).isEmpty();
  }

  @Test
  void dmaThatIsLateForItsMappingIsAFault() throws Exception {
    DmaBuffer buffer = device.addressSpace().allocate(4096);
    host.faults().delayDma(Duration.ofMillis(20));
    model.bus().write(buffer.iova(), MemorySegment.ofArray(new byte[8]));

    buffer.close();

    for (int i = 0; host.dmaFaults().isEmpty() && i < 1000; i++) {
      Thread.sleep(10);
    }
    assertThat(host.dmaFaults())
        .singleElement()
        .extracting(DmaFault::reason)
        .isEqualTo(DmaFault.Reason.NOT_MAPPED);
  }

  @Test
  void aResetTakesLongOrFails() throws VfioException {
    int before = model.resets;
    host.faults().slowReset(Duration.ofMillis(20));
    long start = System.nanoTime();
    device.reset();
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000);
    host.faults().slowReset(Duration.ZERO).failReset(true);
    assertThatThrownBy(device::reset).hasMessageContaining("VFIO_DEVICE_RESET on scratch: EIO");
    assertThat(model.resets).isEqualTo(before + 1);
  }

  @Test
  void aBarThatCannotBeMappedIsReadByCalls() throws VfioException {
    host.faults().refuseMapping(Scratch.REGISTERS);

    Region bar = device.pci().bar(Scratch.REGISTERS);
    assertThat(bar.info().mappable()).isFalse();
    assertThatThrownBy(bar::map).isInstanceOf(UnsupportedOperationException.class);
    bar.writeInt(8, 42);
    assertThat(bar.readInt(8)).isEqualTo(42);
  }

  @Test
  void theDeviceIsAskedBackAndReportsErrors() throws VfioException {
    Interrupt request = device.pci().request().enable(0);
    Interrupt error = device.pci().error().enable(0);
    host.askBack();
    host.reportError();

    assertThat(request.await(LONG)).isEqualTo(1);
    assertThat(error.await(LONG)).isEqualTo(1);
  }

  @Test
  void withItsMemorySwitchedOffTheDeviceDoesNotAnswer() throws VfioException {
    try (MappedRegion registers = device.pci().bar(Scratch.REGISTERS).map()) {
      device.pci().config().setMemoryEnabled(false);

      assertThatThrownBy(() -> registers.getInt(0)).isInstanceOf(InternalError.class);
      assertThatThrownBy(() -> device.pci().bar(Scratch.REGISTERS).readInt(0))
          .satisfies(
              e -> assertThat(((VfioException) e).errno()).isEqualTo(Optional.of(Errno.EIO)));
      device.pci().config().setMemoryEnabled(true);
      assertThat(registers.getInt(0)).isZero();
    }
  }
}
