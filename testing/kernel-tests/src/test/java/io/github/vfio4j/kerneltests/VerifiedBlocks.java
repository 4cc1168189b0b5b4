package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Blocks of a part of a namespace that are written and read in any order. */
final class VerifiedBlocks {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int PART = 64;

  private final QueuePair pair;
  private final Namespace namespace;
  private final long first;
  private final DmaSlice[] memory;
  private final int[] places;
  private final boolean[] writes;
  private final boolean[] busy;
  private final int[] written = new int[PART];
  private final boolean[] unsure = new boolean[PART];
  private final boolean[] taken = new boolean[PART];
  private int sequence;
  private int verified;

  private VerifiedBlocks(VfioDevice device, QueuePair pair, Namespace namespace, int part)
      throws VfioException {
    int depth = pair.depth();
    this.pair = pair;
    this.namespace = namespace;
    this.first = 1000 + (long) PART * part;
    this.memory = new DmaSlice[depth];
    this.places = new int[depth];
    this.writes = new boolean[depth];
    this.busy = new boolean[depth];
    DmaBuffer buffer = device.addressSpace().allocate((long) depth * namespace.blockSize());
    for (int i = 0; i < depth; i++) {
      memory[i] = buffer.slice((long) i * namespace.blockSize(), namespace.blockSize());
    }
  }

  /**
   * Writes and reads all namespaces of a controller, polled and by interrupts, with four resets of
   * it meanwhile, and compares each block.
   *
   * @param operations how many
   */
  static void run(VfioDevice device, NvmeController controller, int operations)
      throws VfioException {
    List<VerifiedBlocks> workers = new ArrayList<>();
    for (Namespace namespace : controller.namespaces()) {
      workers.add(new VerifiedBlocks(device, controller.createQueuePair(16), namespace, 1));
      QueuePair interrupted = controller.createQueuePairWithInterrupt(7);
      workers.add(new VerifiedBlocks(device, interrupted, namespace, 0));
    }
    Random random = new Random(11);
    for (int i = 0; i < operations; i++) {
      if (i % (operations / 4) == operations / 8) {
        controller.reset();
      }
      workers.get(random.nextInt(workers.size())).goOn(random);
    }
    for (VerifiedBlocks worker : workers) {
      worker.finish();
      assertThat(worker.verified).isGreaterThan(operations / 20);
    }
  }

  /** Begins to write a block or to read one that was written, and takes what has ended. */
  private void goOn(Random random) throws VfioException {
    int place = random.nextInt(PART);
    if (!taken[place]) {
      int slot = freeSlot();
      boolean write = written[place] == 0 || unsure[place] || random.nextInt(3) == 0;
      if (write) {
        sequence++;
        for (int at = 0; at < namespace.blockSize(); at += Long.BYTES) {
          memory[slot].setLong(at, stamp(place, sequence));
        }
      }
      places[slot] = place;
      writes[slot] = write;
      busy[slot] = true;
      taken[place] = true;
      long block = first + place;
      assertThat(
              write
                  ? pair.write(namespace, block, memory[slot], slot)
                  : pair.read(namespace, block, memory[slot], slot))
          .isTrue();
      if (random.nextBoolean()) {
        pair.submit();
      }
    }
    pair.poll(this::ended);
  }

  /** Waits for all, and reads each block once more. */
  private void finish() throws VfioException {
    pair.submit();
    while (pair.outstanding() > 0) {
      pair.await(this::ended, PATIENCE);
    }
    for (int place = 0; place < PART; place++) {
      if (written[place] != 0 && !unsure[place]) {
        int slot = freeSlot();
        places[slot] = place;
        writes[slot] = false;
        busy[slot] = true;
        assertThat(pair.read(namespace, first + place, memory[slot], slot)).isTrue();
        pair.submit();
        pair.await(this::ended, PATIENCE);
      }
    }
  }

  private int freeSlot() throws VfioException {
    while (true) {
      for (int slot = 0; slot < busy.length; slot++) {
        if (!busy[slot]) {
          return slot;
        }
      }
      pair.submit();
      pair.await(this::ended, PATIENCE);
    }
  }

  private void ended(long tag, int status) {
    int slot = (int) tag;
    int place = places[slot];
    assertThat(busy[slot]).as("command %d had not ended", slot).isTrue();
    busy[slot] = false;
    taken[place] = false;
    if (status != 0) {
      assertThat(new NvmeStatus(status)).isEqualTo(NvmeStatus.ABORTED_BY_HOST);
      unsure[place] |= writes[slot];
    } else if (writes[slot]) {
      written[place] = (int) memory[slot].getLong(0);
      unsure[place] = false;
    } else {
      for (int at = 0; at < namespace.blockSize(); at += Long.BYTES) {
        assertThat(memory[slot].getLong(at)).isEqualTo(stamp(place, written[place]));
      }
      verified++;
    }
  }

  private long stamp(int place, int number) {
    return (first + place) << Integer.SIZE | number;
  }
}
