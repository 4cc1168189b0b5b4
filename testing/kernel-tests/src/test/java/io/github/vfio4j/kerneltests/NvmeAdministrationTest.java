package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.AsyncEvent;
import io.github.vfio4j.nvme.AsyncEvents;
import io.github.vfio4j.nvme.BlockFormat;
import io.github.vfio4j.nvme.ControllerFatalException;
import io.github.vfio4j.nvme.Features;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NamespaceAdministration;
import io.github.vfio4j.nvme.NvmeCommand;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeException;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import io.github.vfio4j.nvme.Recovery;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What QEMU's controller is asked besides its blocks, and how it is brought back when it fails. */
@OnMachine({"intel/legacy", "intel/scalable", "amd", "smmuv3"})
@Bound(Device.NVME)
class NvmeAdministrationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration LIMIT = Duration.ofMillis(200);
  private static final int BLOCK = 512;
  private static final long SIZE = 64L << 20;
  private static final int TOO_HOT = 1;

  private final List<String> ended = new ArrayList<>();

  private void note(long tag, int status) {
    ended.add(tag + ": " + new NvmeStatus(status));
  }

  @EachBackend
  void featuresAndLogsAreTold(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      Features features = controller.features();
      assertThat(features.overTemperature()).isEqualTo(70);
      assertThat(features.hasVolatileCacheOn()).isTrue();
      features.setVolatileCache(false);
      assertThat(features.hasVolatileCacheOn()).isFalse();
      features.setVolatileCache(true);
      assertThat(features.get(4, Features.Value.DEFAULT)).isEqualTo(343);
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> features.set(6, 0, 1, true))
          .withMessageContaining("Feature Identifier Not Saveable");
      assertThatThrownBy(() -> features.setKeepAlive(PATIENCE)).hasMessageContaining("Keep Alive");

      assertThat(controller.logPages().errors()).isEmpty();
      assertThat(controller.logPages().firmware().active()).isEqualTo(1);
      assertThat(controller.logPages().firmware().revisions()).startsWith("1.0", "");
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> controller.logPages().read(0xc0, -1, 0, 512));
    }
  }

  @EachBackend
  void temperatureAboveItsThresholdIsAnEvent(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        AsyncEvents events = controller.listen()) {
      assertThat(events.poll()).isEmpty();
      controller.reset(); // by which listening does not end
      try {
        controller.features().setOverTemperature(20);
        assertThat(events.await(PATIENCE))
            .hasValueSatisfying(
                event -> {
                  assertThat(event.kind()).isEqualTo(AsyncEvent.HEALTH);
                  assertThat(event.information()).isEqualTo(TOO_HOT);
                });
        assertThat(controller.health().criticalWarnings())
            .containsExactly("the temperature is out of bounds");
        assertThat(events.poll()).isEmpty();
      } finally {
        controller.features().setOverTemperature(70);
      }
    }
  }

  @EachBackend
  void namespaceIsFormattedAndBack(Backend backend) throws VfioException {
    Namespace before = new Namespace(2, SIZE / 4096, 4096);
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      NamespaceAdministration administration = controller.administration();
      assertThat(controller.namespace(2)).isEqualTo(before);
      try {
        format(administration, BLOCK);
        assertThat(controller.namespace(2)).isEqualTo(new Namespace(2, SIZE / BLOCK, BLOCK));
      } finally {
        format(administration, 4096);
      }
      assertThat(controller.namespace(2)).isEqualTo(before);
    }
  }

  private static void format(NamespaceAdministration administration, int blockSize)
      throws VfioException {
    BlockFormat format =
        administration.formats(2).stream()
            .filter(each -> each.blockSize() == blockSize && each.metadataSize() == 0)
            .findFirst()
            .orElseThrow();
    administration.format(2, format, NamespaceAdministration.Erase.NOTHING, PATIENCE);
  }

  @EachBackend
  void namespaceIsDetachedAndAttached(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      NamespaceAdministration administration = controller.administration();
      administration.detach(2);
      try {
        assertThat(controller.namespaces()).hasSize(1);
        assertThat(administration.allocated()).containsExactly(1, 2);
        assertThatExceptionOfType(NvmeException.class)
            .isThrownBy(() -> administration.detach(2))
            .withMessageContaining("Namespace Not Attached");
      } finally {
        administration.attach(2);
      }
      assertThat(controller.namespaces()).hasSize(2);
      assertThat(controller.logPages().changedNamespaces()).containsExactly(2);
    }
  }

  @EachBackend
  void commandsArePutTogetherByHand(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(3 * 4096)) {
      controller.admin(NvmeCommand.of(0x06, 0).withWord(10, 1), buffer.slice(0, 4096), PATIENCE);
      assertThat(buffer.segment().asSlice(24, 4).toArray(ValueLayout.JAVA_BYTE))
          .asString()
          .isEqualTo("QEMU");

      QueuePair queues = controller.createQueuePair(2);
      buffer.segment().fill((byte) 7);
      NvmeCommand write = NvmeCommand.of(0x01, 1).withWord(10, 100).withWord(12, 15);
      assertThat(queues.command(write, buffer.slice(0, 8192), 1)).isTrue();
      queues.drain(this::note, PATIENCE);
      buffer.segment().fill((byte) 0);
      assertThat(queues.read(controller.namespace(1), 115, buffer.slice(0, BLOCK), 2)).isTrue();
      assertThat(queues.command(NvmeCommand.of(0xc1, 1), 3)).isTrue();
      queues.drain(this::note, PATIENCE);
      assertThat(ended)
          .containsExactlyInAnyOrder(
              "1: Successful Completion", "2: Successful Completion", "3: Invalid Command Opcode");
      assertThat(buffer.segment().asSlice(0, BLOCK).toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
    }
  }

  /** QEMU aborts nothing, so it comes to a reset. */
  @EachBackend
  void commandThatTheControllerNeverSawIsEndedByAReset(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      QueuePair queues = controller.createQueuePairWithInterrupt(4);
      QueuePair other = controller.createQueuePair(4);
      Namespace namespace = controller.namespace(1);
      assertThat(queues.read(namespace, 0, buffer.slice(0, BLOCK), 1)).isTrue(); // no doorbell

      assertThat(queues.abort(1)).isZero();
      assertThat(recover(queues)).isEqualTo(Recovery.ABORT);
      assertThat(recover(queues)).isEqualTo(Recovery.RESET);

      assertThat(ended).containsExactly("1: Command Aborted By Host");
      assertThat(other.poll(this::note)).isZero();
      for (QueuePair each : List.of(queues, other)) {
        assertThat(each.read(namespace, 0, buffer.slice(0, BLOCK), 2)).isTrue();
        each.submit();
        assertThat(each.await(this::note, PATIENCE)).isEqualTo(1);
      }
      assertThat(ended).hasSize(3).last().isEqualTo("2: Successful Completion");
    }
  }

  private Recovery recover(QueuePair queues) throws VfioException {
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < PATIENCE.toNanos()) {
      Recovery done = queues.recover(this::note, LIMIT);
      if (done != Recovery.NONE) {
        return done;
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("nothing was late");
  }

  /** A controller that is kept from memory cannot read its queue, and says that it has failed. */
  @EachBackend
  void controllerThatFailsSaysSoAndIsBroughtBack(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      Namespace namespace = controller.namespace(1);
      for (boolean interrupts : new boolean[] {false, true}) {
        ended.clear();
        QueuePair queues =
            interrupts ? controller.createQueuePairWithInterrupt(4) : controller.createQueuePair(4);
        assertThat(queues.read(namespace, 0, buffer.slice(0, BLOCK), 1)).isTrue();
        device.pci().config().setBusMaster(false);
        queues.submit();

        assertThatExceptionOfType(ControllerFatalException.class)
            .isThrownBy(() -> queues.await(this::note, PATIENCE));
        assertThatExceptionOfType(ControllerFatalException.class)
            .isThrownBy(() -> controller.health());
        assertThat(queues.recover(this::note, PATIENCE)).isEqualTo(Recovery.RESET);

        assertThat(ended).containsExactly("1: Command Aborted By Host");
        assertThat(queues.read(namespace, 0, buffer.slice(0, BLOCK), 2)).isTrue();
        queues.submit();
        assertThat(queues.await(this::note, PATIENCE)).isEqualTo(1);
        assertThat(ended).last().isEqualTo("2: Successful Completion");
      }
    }
  }
}
