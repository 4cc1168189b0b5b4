package io.github.vfio4j.kerneltests.random;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.kerneltests.Child;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A few hundred of {@link RandomCalls}, for what shows at once; {@code lab/random} makes more. They
 * are in no trace, since what they ask of the kernel is not always the same.
 */
class RandomCallsTest {
  private static final String EDU = "0000:00:05.0";

  /** It does no DMA, so that it can do no harm where there is no IOMMU. */
  private static final String IVSHMEM = "0000:00:09.0";

  private static void nothingIsWrongWith(String... devices) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("120", "800", "4", "1"));
    arguments.addAll(List.of(devices));
    try (Child child = Child.startUntraced(RandomCalls.class, arguments.toArray(new String[0]))) {
      List<String> lines = child.lines();

      assertThat(lines.getLast())
          .as("%s", lines)
          .matches(
              "\\d{3,} calls of \\d{3,} methods, \\d{3,} of which succeeded; 0 things are wrong");
    }
  }

  @Test
  @OnMachine("intel/scalable")
  void whateverIsCalledNothingBreaks() throws IOException {
    nothingIsWrongWith(EDU, IVSHMEM);
  }

  @Test
  @OnMachine("bare")
  void norWithoutAnIommu() throws IOException {
    nothingIsWrongWith(IVSHMEM);
  }
}
