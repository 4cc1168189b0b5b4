package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Random;

/** Queues in the memory of QEMU's controller, which has 1 MiB of it, with doorbells in memory. */
@OnMachine({"intel/legacy", "amd", "smmuv3"})
@Bound(Device.NVME_3)
class NvmeControllerMemoryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int PART = 8192;
  private static final int BLOCK = 512;
  private static final int DEPTH = 15;
  private static final int ROUNDS = 60;

  private int ended;

  private void note(long tag, int status) {
    assertThat(new NvmeStatus(status)).isEqualTo(NvmeStatus.SUCCESS);
    ended++;
  }

  private static void fill(DmaSlice target, Random random) {
    byte[] bytes = new byte[(int) target.size()];
    random.nextBytes(bytes);
    MemorySegment.copy(bytes, 0, target.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
  }

  /** The queue goes round many times; a reset ends what it knows of its memory. */
  @EachBackend
  void allComesBackThatIsWrittenByQueuesThere(Backend backend) throws VfioException {
    Random random = new Random(11);
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller =
            NvmeController.prepare(device).queuesInControllerMemory().start();
        DmaBuffer buffer = device.addressSpace().allocate(2L * DEPTH * PART)) {
      assertThat(controller.hasControllerMemory()).isTrue();
      assertThat(controller.hasShadowDoorbells()).isTrue();
      Namespace namespace = controller.namespace(1);
      QueuePair polled = controller.createQueuePair(DEPTH);
      QueuePair interrupted = controller.createQueuePairWithInterrupt(2 * DEPTH);
      for (QueuePair each : new QueuePair[] {polled, interrupted}) {
        assertThat(each.isInControllerMemory()).isTrue();
      }
      for (int round = 0; round < ROUNDS; round++) {
        QueuePair writer = round % 2 == 0 ? polled : interrupted;
        QueuePair reader = random.nextBoolean() ? polled : interrupted;
        int count = 1 + random.nextInt(DEPTH);
        long[] blocks = new long[count];
        for (int i = 0; i < count; i++) {
          DmaSlice part = buffer.slice((long) i * PART, PART);
          fill(part, random);
          blocks[i] = 5000 + (long) (i * 7 + random.nextInt(7)) * (PART / BLOCK);
          assertThat(writer.write(namespace, blocks[i], part, i)).isTrue();
        }
        writer.drain(this::note, PATIENCE);
        for (int i = 0; i < count; i++) {
          DmaSlice part = buffer.slice((long) (DEPTH + i) * PART, PART);
          assertThat(reader.read(namespace, blocks[i], part, i)).isTrue();
        }
        reader.drain(this::note, PATIENCE);
        long bytes = (long) count * PART;
        assertThat(
                buffer
                    .segment()
                    .asSlice((long) DEPTH * PART, bytes)
                    .mismatch(buffer.segment().asSlice(0, bytes)))
            .isEqualTo(-1);
        if (round % 20 == 10) {
          controller.reset();
          assertThat(polled.poll(this::note) + interrupted.poll(this::note)).isZero();
        }
      }
      assertThat(ended).isGreaterThan(ROUNDS);
    }
  }

  /** What the reset of its function ends is set anew; pairs beyond its memory are in ours. */
  @EachBackend
  void queuesAreInBothMemoriesAndOutlastResets(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller =
            NvmeController.prepare(device).queuesInControllerMemory().start();
        DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      Namespace namespace = controller.namespace(1);
      int depth = 2047; // 128 KiB of commands
      int there = 0;
      for (int i = 0; i < 9; i++) {
        QueuePair queues = controller.createQueuePair(depth);
        there += queues.isInControllerMemory() ? 1 : 0;
        if (i < 7) {
          continue;
        }
        for (int round = 0; round < 2; round++) {
          DmaSlice written = buffer.slice(0, BLOCK);
          DmaSlice read = buffer.slice(2048, BLOCK);
          fill(written, new Random(i));
          assertThat(queues.write(namespace, i, written, 0)).isTrue();
          queues.drain(this::note, PATIENCE);
          device.reset();
          controller.reset();
          assertThat(queues.poll(this::note)).isZero();
          assertThat(queues.read(namespace, i, read, 0)).isTrue();
          queues.drain(this::note, PATIENCE);
          assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
        }
      }
      assertThat(there).isEqualTo(8);
    }
  }
}
