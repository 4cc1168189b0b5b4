package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.QueuePair;
import java.time.Duration;

/** Writes to a disk until it is killed. */
final class NvmeWriter {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int TRANSFER = 64 << 10;

  private NvmeWriter() {}

  public static void main(String[] arguments) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, Backend.valueOf(arguments[0]));
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(TRANSFER)) {
      Namespace namespace = controller.namespace(1);
      QueuePair pair = controller.createQueuePair(32);
      for (long block = 0; ; block = (block + 1) % 1000) {
        while (pair.write(namespace, block, buffer.slice(0, TRANSFER), block)) {
          pair.submit();
        }
        pair.await((_, _) -> {}, PATIENCE);
        if (block == 10) {
          System.out.println("writing");
        }
      }
    }
  }
}
