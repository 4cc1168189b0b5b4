package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Doorbells in memory. */
class NvmeDoorbellTest {
  private static final int BLOCK = 512;
  private static final int DEPTH = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Namespace NAMESPACE = new Namespace(1, 64, BLOCK);
  private static final int INVALID_FIELD = 0x002;

  private final NvmeModel model = new NvmeModel(64, BLOCK).withDoorbellBuffers();
  private final List<Long> ended = new ArrayList<>();
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
  }

  @AfterEach
  void stop() throws VfioException {
    device.close();
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  private void note(long tag, int status) {
    assertThat(new NvmeStatus(status)).isEqualTo(NvmeStatus.SUCCESS);
    ended.add(tag);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 1, true",
    "1, 0, 1, false",
    "65535, 0, 1, false",
    "0, 0, 4, true",
    "3, 0, 4, true",
    "4, 0, 4, false",
    "9, 9, 0, true", // round a queue of 10
    "9, 8, 1, true",
    "0, 8, 1, true",
    "1, 8, 1, false",
    "5, 8, 1, false",
    "-2147483648, 0, 1, true", // only 16 bits of it count
    "0, 3, 3, false"
  })
  void realDoorbellIsRungWherePassed(int wanted, int before, int value, boolean rung) {
    assertThat(ShadowDoorbells.passes(wanted, before, value)).isEqualTo(rung);
  }

  @Test
  void controllerThatAsksIsToldByItsRegisters() throws VfioException {
    try (NvmeController controller = NvmeController.start(device)) {
      assertThat(controller.hasShadowDoorbells()).isTrue();
      QueuePair queues = controller.createQueuePair(DEPTH);
      for (int i = 0; i < 20; i++) {
        int rung = model.doorbellsRung();
        queues.flush(NAMESPACE, i);
        queues.submit();
        assertThat(queues.await(this::note, PATIENCE)).isEqualTo(1);
        assertThat(model.doorbellsRung()).isEqualTo(rung + 2); // tail and head
      }
    }
  }

  /** Several rounds of the queue; admin commands keep their doorbell. */
  @Test
  void controllerThatLooksItselfIsToldByMemoryAlone() throws VfioException {
    try (NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      QueuePair queues = controller.createQueuePair(DEPTH);
      QueuePair others = controller.createQueuePair(2);
      model.askForDoorbells(false);
      int rung = model.doorbellsRung();
      for (int i = 0; i < 20; i++) {
        queues.read(NAMESPACE, i, buffer.slice(0, BLOCK), 2L * i);
        queues.read(NAMESPACE, i, buffer.slice(BLOCK, BLOCK), 2L * i + 1);
        queues.submit();
        assertThat(queues.poll(this::note)).isZero();
        model.lookAtDoorbells();
        assertThat(queues.poll(this::note)).isEqualTo(2);
        assertThat(model.doorbellsRung()).isEqualTo(rung);
      }
      assertThat(ended)
          .containsExactlyElementsOf(IntStream.range(0, 40).mapToObj(it -> (long) it).toList());
      assertThat(controller.health().celsius()).isEqualTo(27);
      assertThat(model.doorbellsRung()).isEqualTo(rung + 2);

      model.askForDoorbells(true);
      others.flush(NAMESPACE, 99);
      others.submit();
      assertThat(others.poll(this::note)).isEqualTo(1);
    }
  }

  /** The pair begins where a new queue does, and the controller has to be told again. */
  @Test
  void doorbellsAreInMemoryAgainAfterAReset() throws VfioException {
    try (NvmeController controller = NvmeController.start(device)) {
      QueuePair queues = controller.createQueuePair(DEPTH);
      for (int i = 0; i < 3; i++) {
        queues.flush(NAMESPACE, i);
      }
      queues.drain(this::note, PATIENCE);
      controller.reset();
      assertThat(controller.hasShadowDoorbells()).isTrue();
      assertThat(queues.poll(this::note)).isZero();

      model.askForDoorbells(false);
      int rung = model.doorbellsRung();
      queues.flush(NAMESPACE, 3);
      queues.submit();
      model.lookAtDoorbells();
      assertThat(queues.poll(this::note)).isEqualTo(1);
      assertThat(model.doorbellsRung()).isEqualTo(rung);
      assertThat(ended).containsExactly(0L, 1L, 2L, 3L);

      queues.close();
      model.askForDoorbells(true);
      QueuePair successor = controller.createQueuePair(2); // of the same number
      successor.flush(NAMESPACE, 4);
      successor.drain(this::note, PATIENCE);
    }
  }

  @Test
  void controllerThatRefusesThemIsToldByItsRegisters() throws VfioException {
    model.faults().spareAdmin();
    model.faults().spareAdmin();
    model.faults().failAdmin(INVALID_FIELD);
    try (NvmeController controller = NvmeController.start(device)) {
      assertThat(controller.hasShadowDoorbells()).isFalse();
      QueuePair queues = controller.createQueuePair(DEPTH);
      int rung = model.doorbellsRung();
      queues.flush(NAMESPACE, 1);
      queues.drain(this::note, PATIENCE);
      assertThat(model.doorbellsRung()).isEqualTo(rung + 2);

      controller.reset();
      assertThat(controller.hasShadowDoorbells()).isTrue();
      assertThat(queues.poll(this::note)).isZero();
      queues.flush(NAMESPACE, 2);
      queues.drain(this::note, PATIENCE);
    }
  }
}
