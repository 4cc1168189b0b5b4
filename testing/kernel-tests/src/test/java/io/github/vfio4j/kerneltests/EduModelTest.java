package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.EduSequences;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The model of the edu device behaves as QEMU's: what is tested on it is tested on an edu. */
@OnMachine({"intel/scalable", "smmuv3"})
@Bound(Device.EDU)
class EduModelTest {
  private static final int SEQUENCES = 1000;
  private static final long SEED = 20261128;

  @Test
  void behavesLikeQemusThroughRandomSequencesOfAccesses() throws VfioException {
    try (ModelHost host = ModelHost.of(new EduModel());
        EduSequences model = new EduSequences(host.open(), SEED);
        EduSequences real = new EduSequences(VfioDevice.open(Machine.EDU), SEED)) {
      for (int sequence = 0; sequence < SEQUENCES; sequence++) {
        List<String> expected = real.next();
        assertThat(model.next()).as("sequence %d", sequence).isEqualTo(expected);
      }
      assertThat(host.dmaFaults()).isEmpty();
    }
  }
}
