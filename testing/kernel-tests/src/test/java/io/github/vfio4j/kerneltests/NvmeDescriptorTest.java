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

/** Transfers that one descriptor names (SGL), which QEMU's controller takes of any alignment. */
@OnMachine({"intel/legacy", "smmuv3"})
@Bound(Device.NVME)
class NvmeDescriptorTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int LARGEST = 128 << 10;
  private static final int HALF = 256 << 10;

  private static void note(long tag, int status) {
    assertThat(new NvmeStatus(status)).as("command %d", tag).isEqualTo(NvmeStatus.SUCCESS);
  }

  @EachBackend
  void dataOfAnySizeAndAlignmentComesBack(Backend backend) throws VfioException {
    Random random = new Random(3);
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(2 * HALF)) {
      assertThat(controller.identity().hasDescriptors()).isTrue();
      assertThat(controller.identity().dataAlignment()).isEqualTo(1);
      QueuePair queues = controller.createQueuePair(4);
      for (Namespace namespace : controller.namespaces()) {
        int block = namespace.blockSize();
        for (int offset : new int[] {0, 1, 3, 4, 512, 2047, 4095, 4096, 5001}) {
          for (int size : new int[] {block, 4096, 8192, 12288, 65536, LARGEST}) {
            byte[] bytes = new byte[size];
            random.nextBytes(bytes);
            DmaSlice written = buffer.slice(offset, size);
            DmaSlice read = buffer.slice(HALF + (offset * 3 + 2) % 8192, size);
            buffer.segment().fill((byte) 0);
            MemorySegment.copy(bytes, 0, written.segment(), ValueLayout.JAVA_BYTE, 0, size);
            assertThat(queues.write(namespace, 100, written, size)).isTrue();
            queues.drain(NvmeDescriptorTest::note, PATIENCE);
            assertThat(queues.read(namespace, 100, read, size)).isTrue();
            queues.drain(NvmeDescriptorTest::note, PATIENCE);
            assertThat(read.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes);
            assertThat(untouchedAround(buffer, read)).isTrue();
          }
        }
      }
    }
  }

  private static boolean untouchedAround(DmaBuffer buffer, DmaSlice read) {
    long start = read.iova() - buffer.iova();
    return buffer.segment().get(ValueLayout.JAVA_BYTE, start - 1) == 0
        && buffer.segment().get(ValueLayout.JAVA_BYTE, start + read.size()) == 0;
  }
}
