package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NamespaceChannel;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** QEMU's controller with doorbells in memory, and with small transfers. */
@OnMachine({"intel/legacy", "smmuv3"})
@Bound(Device.NVME_3)
class NvmeDoorbellTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int BLOCK = 512;
  private static final int DEPTH = 15;
  private static final int ROUNDS = 2_000;

  private int ended;

  private void note(long tag, int status) {
    assertThat(new NvmeStatus(status)).isEqualTo(NvmeStatus.SUCCESS);
    ended++;
  }

  /** A doorbell that is lost is a command that never ends; batches of all sizes race with it. */
  @EachBackend
  void noCommandIsLostThroughResets(Backend backend) throws VfioException {
    Random random = new Random(5);
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(1 << 16)) {
      assertThat(controller.hasShadowDoorbells()).isTrue();
      Namespace namespace = controller.namespace(1);
      QueuePair polled = controller.createQueuePair(DEPTH);
      QueuePair interrupted = controller.createQueuePairWithInterrupt(DEPTH);
      int begun = 0;
      for (int i = 0; i < ROUNDS; i++) {
        QueuePair queues = random.nextBoolean() ? polled : interrupted;
        for (int left = random.nextInt(DEPTH + 1); left > 0; left--) {
          long block = random.nextInt(1000);
          if (queues.read(namespace, block, buffer.slice(left * (long) BLOCK, BLOCK), 0)) {
            begun++;
          }
          if (random.nextInt(4) == 0) {
            queues.submit();
          }
        }
        queues.submit();
        if (random.nextBoolean() && queues.outstanding() > 0) {
          queues.await(this::note, PATIENCE);
        }
        if (i % (ROUNDS / 4) == ROUNDS / 8) {
          for (QueuePair each : new QueuePair[] {polled, interrupted}) {
            each.drain(this::note, PATIENCE);
          }
          controller.reset();
          assertThat(controller.hasShadowDoorbells()).isTrue();
          assertThat(polled.poll(this::note) + interrupted.poll(this::note)).isZero();
        }
      }
      polled.drain(this::note, PATIENCE);
      interrupted.drain(this::note, PATIENCE);
      assertThat(ended).isEqualTo(begun).isGreaterThan(ROUNDS);
    }
  }

  /** It does not fail of itself, for it does not see the doorbell; asking it for an abort tells. */
  @EachBackend
  void controllerThatIsKeptFromItsDoorbellsIsReset(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device)) {
      QueuePair queues = controller.createQueuePair(DEPTH);
      List<NvmeStatus> statuses = new ArrayList<>();
      assertThat(queues.flush(controller.namespace(1), 0)).isTrue();
      device.pci().config().setBusMaster(false);
      queues.drain((_, status) -> statuses.add(new NvmeStatus(status)), Duration.ofMillis(100));

      assertThat(statuses).containsExactly(NvmeStatus.ABORTED_BY_HOST);
      assertThat(controller.hasShadowDoorbells()).isTrue();
      assertThat(queues.flush(controller.namespace(1), 0)).isTrue();
      queues.drain(this::note, PATIENCE);
      assertThat(ended).isEqualTo(1);
    }
  }

  /** The controller moves two pages a command. */
  @EachBackend
  void largeTransfersAreSplit(Backend backend) throws IOException {
    byte[] written = new byte[100_001];
    new Random(7).nextBytes(written);
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device);
        NamespaceChannel channel = controller.open(controller.namespace(1))) {
      assertThat(controller.identity().maximumTransfer()).isEqualTo(8192);
      assertThat(channel.position(777).write(ByteBuffer.wrap(written))).isEqualTo(written.length);
      ByteBuffer read = ByteBuffer.allocate(written.length);
      assertThat(channel.position(777).read(read)).isEqualTo(written.length);
      assertThat(read.array()).isEqualTo(written);
    }
  }
}
