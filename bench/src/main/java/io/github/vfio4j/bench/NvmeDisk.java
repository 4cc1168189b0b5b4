package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.util.Arrays;

/** A disk that is open, with queue pairs, and memory that is mapped once, in huge pages. */
final class NvmeDisk implements AutoCloseable {
  private static final long HUGE_PAGE = 2 << 20;

  private final VfioDevice device;
  private final NvmeController controller;
  private final Namespace namespace;
  private final QueuePair[] pairs;
  private final DmaSlice[] buffers;
  private final boolean write;
  private final long[] places;
  private int nextPlace;

  NvmeDisk(Transfers transfers) throws VfioException {
    device = VfioDevice.open(Devices.NVME, Backend.IOMMUFD);
    controller = NvmeController.start(device);
    namespace = controller.namespace(1);
    write = transfers.write();
    places = transfers.places(namespace.blocks(), namespace.blockSize());
    long size = (long) transfers.size() * transfers.inFlight();
    DmaBuffer memory =
        device
            .addressSpace()
            .allocateHuge((size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE, HUGE_PAGE);
    buffers = new DmaSlice[transfers.inFlight()];
    Arrays.setAll(buffers, i -> memory.slice((long) i * transfers.size(), transfers.size()));
    pairs = new QueuePair[transfers.pairs()];
    for (int i = 0; i < pairs.length; i++) {
      pairs[i] = controller.createQueuePair(transfers.depth());
    }
  }

  int pairs() {
    return pairs.length;
  }

  QueuePair pair(int index) {
    return pairs[index];
  }

  /** Puts the next command into a queue; its tag is the number of its buffer. */
  void put(QueuePair pair, int buffer) {
    long block = places[nextPlace];
    nextPlace = nextPlace + 1 & places.length - 1;
    boolean taken =
        write
            ? pair.write(namespace, block, buffers[buffer], buffer)
            : pair.read(namespace, block, buffers[buffer], buffer);
    if (!taken) {
      throw new IllegalStateException("The queue is full");
    }
  }

  /** Throws unless a command was successful. */
  static void requireSuccess(int status) {
    if (status != 0) {
      throw new IllegalStateException("The disk answers: " + new NvmeStatus(status));
    }
  }

  @Override
  public void close() throws VfioException {
    try (device) {
      controller.close();
    }
  }
}
