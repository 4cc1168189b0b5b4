package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.NvmeController;
import org.junit.jupiter.api.Timeout;

/** What {@link NvmeTest} does for seconds, for minutes: asked for by name. */
@OnMachine({"intel/legacy", "smmuv3"})
@Bound(Device.NVME)
@Timeout(1200)
class NvmeEnduranceTest {
  private static final int OPERATIONS = 100_000;

  @EachBackend
  void everyBlockComesBackThroughResets(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      VerifiedBlocks.run(device, controller, OPERATIONS);
    }
  }
}
