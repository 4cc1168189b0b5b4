package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeCommand;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeSetup;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.util.Arrays;

/** A disk that is open, with queue pairs, and memory that is mapped once, in huge pages. */
final class NvmeDisk implements AutoCloseable {
  private static final long HUGE_PAGE = 2 << 20;
  private static final int READ = 2;

  private final VfioDevice device;
  private final NvmeController controller;
  private final Namespace namespace;
  private final QueuePair[] pairs;
  private final DmaSlice[] buffers;
  private final boolean write;
  private final long[] places;

  /** The commands for the places, where they are put together by hand; else there are none. */
  private final NvmeCommand[] byHand;

  private int nextPlace;

  NvmeDisk(Transfers transfers) throws VfioException {
    Driving driving = transfers.driving();
    device = VfioDevice.open(driving.address(), Backend.IOMMUFD);
    NvmeSetup setup = NvmeController.prepare(device);
    if (driving == Driving.CONTROLLER_MEMORY) {
      setup.queuesInControllerMemory();
    }
    controller = setup.start();
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
      if (pairs[i].isInControllerMemory() != (driving == Driving.CONTROLLER_MEMORY)) {
        throw new IllegalStateException(pairs[i] + " is in the wrong memory");
      }
    }
    byHand = new NvmeCommand[driving == Driving.LISTS ? places.length : 0];
    Arrays.setAll(byHand, i -> read(places[i], transfers.size() / namespace.blockSize()));
  }

  /** A read, put together by hand. */
  private NvmeCommand read(long block, int blocks) {
    return NvmeCommand.of(READ, namespace.id())
        .withWord(10, (int) block)
        .withWord(11, (int) (block >>> Integer.SIZE))
        .withWord(12, blocks - 1);
  }

  int pairs() {
    return pairs.length;
  }

  QueuePair pair(int index) {
    return pairs[index];
  }

  /** Puts the next command into a queue; its tag is the number of its buffer. */
  void put(QueuePair pair, int buffer) {
    int place = nextPlace;
    nextPlace = place + 1 & places.length - 1;
    if (!put(pair, place, buffers[buffer], buffer)) {
      throw new IllegalStateException("The queue is full");
    }
  }

  private boolean put(QueuePair pair, int place, DmaSlice data, int tag) {
    if (byHand.length > 0) {
      return pair.command(byHand[place], data, tag);
    }
    return write
        ? pair.write(namespace, places[place], data, tag)
        : pair.read(namespace, places[place], data, tag);
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
