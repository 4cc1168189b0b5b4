package io.github.vfio4j.edu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.DmaFault;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The driver on the model: what it does on every edu, and on one that misbehaves. */
class EduOnModelTest {
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    host = ModelHost.of(new EduModel());
    device = host.open();
  }

  @AfterEach
  void close() throws VfioException {
    host.close();
    assertThat(device.isClosed()).isTrue();
  }

  @Test
  void dmaBringsBackEveryByte() throws VfioException {
    EduScenarios.dmaBringsBackEveryByte(device);
    assertThat(device.choice().backend()).isEqualTo(Backend.MODEL);
    assertThat(host.dmaFaults()).isEmpty();
  }

  @Test
  void registersComputeAndInterruptsArrive() throws VfioException {
    EduScenarios.registersComputeAndInterruptsArrive(device);
  }

  @Test
  void interruptsOfAFormerDriverAreNotTold() throws VfioException {
    EduScenarios.interruptsOfAFormerDriverAreNotTold(device);
  }

  @Test
  void partsOfTheMemoryAreMoved() throws VfioException {
    EduScenarios.partsOfTheMemoryAreMoved(device);
  }

  @Test
  void rangesAreChecked() throws VfioException {
    EduScenarios.rangesAreChecked(device);
  }

  @Test
  void theDeviceCanBeStartedAgain() throws VfioException {
    EduScenarios.theDeviceCanBeStartedAgain(device);
  }

  @Test
  void itIsFoundByWhatItIs() throws VfioException {
    assertThat(device.pci().config().vendorId()).isEqualTo(Edu.VENDOR_ID);
    assertThat(device.pci().config().deviceId()).isEqualTo(Edu.DEVICE_ID);
  }

  @Test
  void dmaToWhatIsNotMappedIsNotedWithTheDriversCall() throws VfioException {
    try (Edu edu = Edu.start(device)) {
      edu.transfer(0x666000, 0x40000, 64, false);

      assertThat(host.dmaFaults())
          .singleElement()
          .satisfies(
              fault -> {
                assertThat(fault.access()).isEqualTo(DmaAccess.READ);
                assertThat(fault.iova()).isEqualTo(0x666000);
                assertThat(fault.size()).isEqualTo(64);
                assertThat(fault.reason()).isEqualTo(DmaFault.Reason.NOT_MAPPED);
                assertThat(fault.lastCall().getFirst().getClassName())
                    .isEqualTo(Edu.class.getName());
                assertThat(fault.lastCall())
                    .anySatisfy(
                        frame ->
                            assertThat(frame.getMethodName())
                                .isEqualTo("dmaToWhatIsNotMappedIsNotedWithTheDriversCall"));
              });
    }
  }

  @Test
  void dmaAfterUnmappingDoesNotArrive() throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(Edu.MEMORY_SIZE);
        Edu edu = Edu.start(device)) {
      buffer.segment().fill((byte) 7);
      edu.copyToDevice(buffer, 0, 0, 64);
      buffer.segment().fill((byte) 0);
      device.addressSpace().unmap(buffer.iova(), buffer.size());

      edu.copyFromDevice(0, buffer, 0, 64);

      assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
      assertThat(host.dmaFaults())
          .singleElement()
          .extracting(DmaFault::access, DmaFault::reason)
          .containsExactly(DmaAccess.WRITE, DmaFault.Reason.NOT_MAPPED);
    }
  }

  @Test
  void aLostInterruptIsAnErrorAndNotAHang() throws VfioException {
    try (Edu edu = Edu.start(device, Duration.ofMillis(50))) {
      host.faults().loseInterrupts(1);

      assertThatThrownBy(() -> edu.raiseInterrupt(1))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("no interrupt within");
    }
  }

  @Test
  void noPatienceCanBeNegative() {
    assertThatThrownBy(() -> Edu.start(device, Duration.ofNanos(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDeviceThatHasVanishedIsNoEdu() {
    host.faults().vanish();

    assertThatThrownBy(() -> Edu.start(device)).isInstanceOf(VfioException.class);
  }
}
