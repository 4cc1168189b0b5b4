package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hwpt_pgfault;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What does not fit into the room of a queue gets more; kernels say so in two ways. */
@Timeout(60)
class QueueRoomTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final int FAULT = (int) iommu_hwpt_pgfault.SIZEOF;
  private static final int MOST_FAULTS = 1 << 16;

  @TempDir Path root;
  private FakeMachine machine;
  private Iommufd iommufd;
  private FaultQueue faults;

  @BeforeEach
  void allocate() throws VfioException {
    machine = new FakeMachine(root);
    iommufd = Iommufd.open(machine.host);
    faults = iommufd.allocateFaultQueue();
  }

  @AfterEach
  void close() throws VfioException {
    iommufd.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void smallBuffersAreRefused(boolean refused) {
    if (!refused) {
      machine.kernel.answerNothingToSmallBuffers();
    }
  }

  private void group(int size) {
    machine.kernel.queue(new byte[size * FAULT]);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aGroupThatDoesNotFitArrives(boolean refused) throws VfioException {
    smallBuffersAreRefused(refused);
    group(65);
    assertThat(faults.await(LONG)).hasSize(65);

    group(MOST_FAULTS);
    group(1);
    assertThat(faults.await(Duration.ZERO)).hasSize(MOST_FAULTS);
    assertThat(faults.await(Duration.ZERO)).hasSize(1);
    assertThat(faults.await(Duration.ZERO)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aGroupThatDoesNotFitWakesWhoWaits(boolean refused) throws Exception {
    smallBuffersAreRefused(refused);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<List<PageFault>> waiting = threads.submit(() -> faults.await(LONG));
      while (machine.kernel.queueReads() == 0) {
        Thread.sleep(1);
      }

      group(1000);

      assertThat(waiting.get(50, TimeUnit.SECONDS)).hasSize(1000);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theRoomIsKept(boolean refused) throws VfioException {
    smallBuffersAreRefused(refused);
    group(1000);
    faults.await(LONG);
    int before = machine.kernel.queueReads();

    group(1000);

    assertThat(faults.await(LONG)).hasSize(1000);
    assertThat(machine.kernel.queueReads()).isEqualTo(before + 1);
  }

  @Test
  void aGroupThatFitsNowhereIsAnException() throws VfioException {
    machine.kernel.answerNothingToSmallBuffers();
    group(MOST_FAULTS + 1);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> faults.await(LONG))
        .withMessageContaining("does not fit into " + MOST_FAULTS * FAULT + " bytes")
        .satisfies(e -> assertThat(e.errno()).isEmpty());
    assertThat(machine.kernel.queueReads()).isLessThan(100);
  }

  @Test
  void aGroupThatFitsNowhereIsAnExceptionWithTheKernelsNumber() throws VfioException {
    group(MOST_FAULTS + 1);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> faults.await(LONG))
        .withMessageContaining("does not fit into " + MOST_FAULTS * FAULT + " bytes")
        .satisfies(e -> assertThat(e.errno()).contains(Errno.EINVAL));
    assertThat(machine.kernel.queueReads()).isLessThan(100);
  }

  @Test
  void anEmptyQueueIsNotTakenForTooLittleRoom() throws VfioException {
    machine.kernel.answerNothingToSmallBuffers();
    for (int i = 0; i < 100; i++) {
      assertThat(faults.await(Duration.ZERO)).isEmpty();
      assertThat(faults.await(Duration.ofMillis(1))).isEmpty();
    }
    int before = machine.kernel.queueReads();

    group(MOST_FAULTS + 1);

    assertThatExceptionOfType(VfioException.class).isThrownBy(() -> faults.await(LONG));
    assertThat(machine.kernel.queueReads()).isGreaterThan(before + 10);
  }

  @Test
  void readersThatRaceGetEachGroupOnce() throws Exception {
    machine.kernel.answerNothingToSmallBuffers();
    int groups = 2000;
    Callable<Integer> reader =
        () -> {
          int count = 0;
          List<PageFault> arrived = faults.await(Duration.ofSeconds(1));
          while (!arrived.isEmpty()) {
            count += arrived.size();
            arrived = faults.await(Duration.ofSeconds(1));
          }
          return count;
        };
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<Integer> one = threads.submit(reader);
      Future<Integer> other = threads.submit(reader);
      for (int i = 0; i < groups; i++) {
        group(1);
      }

      assertThat(one.get(50, TimeUnit.SECONDS) + other.get(50, TimeUnit.SECONDS)).isEqualTo(groups);
    }
  }

  @Test
  void anEventThatDoesNotFitArrives() throws VfioException {
    CdevDevice device = iommufd.bind(machine.device());
    VeventQueue events =
        iommufd
            .allocateIoas()
            .allocateHwpt(device, HwptFlag.NEST_PARENT)
            .allocateViommu(device, 99)
            .allocateVeventQueue(99, 1, 4);
    machine.kernel.answerNothingToSmallBuffers();
    machine.kernel.queue(new byte[12 * 100]);

    assertThat(events.await(LONG)).hasSize(100);
  }
}
