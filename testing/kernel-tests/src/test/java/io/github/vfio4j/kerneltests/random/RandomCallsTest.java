package io.github.vfio4j.kerneltests.random;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A few seconds of {@link RandomCalls}, for what shows at once; {@code lab/random} does more. */
class RandomCallsTest {
  private static final PciAddress EDU = PciAddress.of("0000:00:05.0");

  /** It does no DMA, so that it can do no harm where there is no IOMMU. */
  private static final PciAddress IVSHMEM = PciAddress.of("0000:00:09.0");

  private static void nothingIsWrong(List<PciAddress> devices, int leastSuccesses)
      throws IOException, InterruptedException {
    RandomCalls calls = new RandomCalls(devices, 1);

    List<String> wrong = calls.run(Duration.ofMinutes(2), 2000, 4);

    assertThat(wrong).isEmpty();
    assertThat(calls.outcomes().successful()).isGreaterThan(leastSuccesses);
  }

  @Test
  @OnMachine("intel/scalable")
  void whateverIsCalledNothingBreaks() throws IOException, InterruptedException {
    nothingIsWrong(List.of(EDU, IVSHMEM), 150);
  }

  @Test
  @OnMachine("bare")
  void norWithoutAnIommu() throws IOException, InterruptedException {
    nothingIsWrong(List.of(IVSHMEM), 100);
  }
}
