package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.EduScenarios;
import io.github.vfio4j.lab.OnMachine;

/**
 * The driver does on QEMU's edu what it does on the model, on whichever interface the kernel has.
 */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class EduTest {
  private interface Scenario {
    void on(VfioDevice device) throws VfioException;
  }

  private static void play(Backend backend, Scenario scenario) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      scenario.on(device);
      assertThat(device.choice().backend()).isEqualTo(backend);
    }
  }

  @EachBackend
  void dmaBringsBackEveryByte(Backend backend) throws VfioException {
    play(backend, EduScenarios::dmaBringsBackEveryByte);
  }

  @EachBackend
  void registersComputeAndInterruptsArrive(Backend backend) throws VfioException {
    play(backend, EduScenarios::registersComputeAndInterruptsArrive);
  }

  @EachBackend
  void interruptsOfAFormerDriverAreNotTold(Backend backend) throws VfioException {
    play(backend, EduScenarios::interruptsOfAFormerDriverAreNotTold);
  }

  @EachBackend
  void partsOfTheMemoryAreMoved(Backend backend) throws VfioException {
    play(backend, EduScenarios::partsOfTheMemoryAreMoved);
  }

  @EachBackend
  void rangesAreChecked(Backend backend) throws VfioException {
    play(backend, EduScenarios::rangesAreChecked);
  }

  @EachBackend
  void theDeviceCanBeStartedAgain(Backend backend) throws VfioException {
    play(backend, EduScenarios::theDeviceCanBeStartedAgain);
  }
}
