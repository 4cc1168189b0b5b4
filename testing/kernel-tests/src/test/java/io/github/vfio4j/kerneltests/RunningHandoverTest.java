package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Devices go on while another process takes them over, and the first one ends. Neither is this one:
 * the kernel's mistake, which is tested below, would stay with it.
 */
@OnMachine(
    value = {"intel/legacy", "smmuv3"},
    since = "7.0")
@Timeout(value = 6, unit = TimeUnit.MINUTES) // two JVMs on an emulated processor
class RunningHandoverTest extends EduTests {
  private static final List<String> WITH_A_LIMIT =
      List.of("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock");

  @TempDir Path directory;

  @Test
  void devicesGoOnAndTheMemoryCountsAsTheOtherProcesss() throws IOException {
    Told told = handOver(WITH_A_LIMIT);

    assertThat(told.bySuccessor.getFirst()).isEqualTo("taken over, locked " + 4 * PAGE);
    assertThat(told.byPredecessor.getLast()).isEqualTo("handed over, locked 0");
    assertThat(told.bySuccessor.getLast()).isEqualTo("closed, locked 0");
  }

  /** To Linux 7.3 what counts against no limit is the first process's for ever. */
  @Test
  void devicesGoOnWhereMemoryCountsAgainstNoLimit() throws IOException {
    Told told = handOver(List.of());

    assertThat(told.bySuccessor.getFirst())
        .isIn("taken over, locked 0", "taken over, locked " + 4 * PAGE);
    assertThat(told.byPredecessor.getLast())
        .isIn("handed over, locked " + 4 * PAGE, "handed over, locked 0");
    assertThat(told.bySuccessor.getLast()).isIn("closed, locked -" + 4 * PAGE, "closed, locked 0");
  }

  private record Told(List<String> byPredecessor, List<String> bySuccessor) {}

  private Told handOver(List<String> prefix) throws IOException {
    String path = directory.resolve("socket").toString();
    try (Child successor = Child.start(prefix, SuccessorProcess.class, path)) {
      assertThat(successor.line()).isEqualTo("listens");
      List<String> byPredecessor;
      try (Child predecessor = Child.start(prefix, PredecessorProcess.class, path)) {
        byPredecessor = predecessor.lines();
      }
      List<String> bySuccessor = successor.lines();
      assertThat(byPredecessor)
          .as("while the other said %s", bySuccessor)
          .satisfiesExactly(
              line -> assertThat(line).contains("0x1000 bytes at 0x100000 of IOAS"),
              line -> assertThat(line).contains("the other side has closed the connection"),
              line -> assertThat(line).isEqualTo("both go on, locked " + 4 * PAGE),
              line -> assertThat(line).isEqualTo("/dev/iommu is closed"),
              line -> assertThat(line).startsWith("begun "),
              line -> assertThat(line).startsWith("handed over, locked "));
      int begun = Integer.parseInt(byPredecessor.get(4).substring("begun ".length()));
      assertThat(begun).isPositive();
      assertThat(bySuccessor)
          .satisfiesExactly(
              line -> assertThat(line).startsWith("taken over, locked "),
              line -> assertThat(line).isIn("interrupts " + begun, "interrupts " + (begun + 1)),
              line -> assertThat(line).isEqualTo("both go on"),
              line -> assertThat(line).startsWith("closed, locked "));
      return new Told(byPredecessor, bySuccessor);
    }
  }
}
