package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NamespaceChannel;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeException;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The driver on QEMU's controller, whose disks are files of the host's. */
@OnMachine({"intel/legacy", "intel/scalable", "amd", "smmuv3"})
@Bound(Device.NVME)
class NvmeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long SIZE = 64L << 20;
  private static final int OPERATIONS = 2_000;

  @EachBackend
  void controllerTellsWhatItIs(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      assertThat(controller.identity().serialNumber()).isEqualTo("a");
      assertThat(controller.identity().model()).contains("QEMU");
      assertThat(controller.hasShadowDoorbells()).isFalse(); // as the lab wants it
      assertThat(controller.identity().maximumTransfer()).isEqualTo(128 << 10);
      assertThat(controller.namespaces())
          .containsExactly(new Namespace(1, SIZE / 512, 512), new Namespace(2, SIZE / 4096, 4096));
      assertThat(controller.health().celsius()).isEqualTo(50);
    }
  }

  /** Each block says where it belongs and when it was written, whatever happens meanwhile. */
  @EachBackend
  void everyBlockComesBackThroughResets(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      List<VerifiedBlocks> workers = new ArrayList<>();
      for (Namespace namespace : controller.namespaces()) {
        workers.add(new VerifiedBlocks(device, controller.createQueuePair(16), namespace, 1));
        QueuePair interrupted = controller.createQueuePairWithInterrupt(7);
        workers.add(new VerifiedBlocks(device, interrupted, namespace, 0));
      }
      Random random = new Random(11);
      for (int i = 0; i < OPERATIONS; i++) {
        if (i % (OPERATIONS / 4) == OPERATIONS / 8) {
          controller.reset();
        }
        workers.get(random.nextInt(workers.size())).goOn(random);
      }
      for (VerifiedBlocks worker : workers) {
        worker.finish();
        assertThat(worker.verified()).isGreaterThan(OPERATIONS / 20);
      }
    }
  }

  @EachBackend
  void channelReadsWhatItWroteAtAnyPlace(Backend backend) throws IOException {
    byte[] written = new byte[300_001];
    new Random(7).nextBytes(written);
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device)) {
      for (Namespace namespace : controller.namespaces()) {
        try (NamespaceChannel channel = controller.open(namespace)) {
          channel.position(12_345);
          for (ByteBuffer left = ByteBuffer.wrap(written); left.hasRemaining(); ) {
            channel.write(left);
          }
          channel.force();
        }
        try (NamespaceChannel channel = controller.open(namespace).position(12_345)) {
          ByteBuffer read = ByteBuffer.allocate(written.length);
          while (read.hasRemaining()) {
            channel.read(read);
          }
          assertThat(read.array()).isEqualTo(written);
        }
      }
    }
  }

  @EachBackend
  void refusedCommandHasItsNameAndTheNextOneIsDone(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(4096)) {
      assertThatThrownBy(() -> controller.namespace(99)) // no such one, though it could have it
          .hasMessageContaining("namespace 99 of " + Machine.NVME + ": there is none");
      assertThatThrownBy(() -> controller.namespace(999))
          .isInstanceOf(NvmeException.class)
          .hasMessageContaining("Invalid Namespace or Format");

      QueuePair pair = controller.createQueuePair(4);
      Namespace lying = new Namespace(1, SIZE, 512); // more than there is
      assertThat(pair.read(lying, SIZE / 512, buffer.slice(0, 512), 1)).isTrue();
      pair.submit();
      pair.await(
          (_, status) -> assertThat(new NvmeStatus(status)).hasToString("LBA Out of Range"),
          PATIENCE);
      assertThat(pair.read(lying, 0, buffer.slice(0, 512), 2)).isTrue();
      pair.submit();
      pair.await((_, status) -> assertThat(status).isZero(), PATIENCE);
    }
  }

  /** A process that dies while it writes leaves a controller that the next one can use. */
  @OnMachine("intel/legacy") // another JVM takes long to start
  @EachBackend
  void nextOneGoesOnAfterACrash(Backend backend) throws IOException {
    try (Child child = Child.startUntraced(NvmeWriter.class, backend.name())) {
      assertThat(child.line()).isEqualTo("writing");
      child.kill();
    }
    channelReadsWhatItWroteAtAnyPlace(backend);
  }

  /** Blocks of a part of a namespace that are written and read in any order. */
  private static final class VerifiedBlocks {
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

    VerifiedBlocks(VfioDevice device, QueuePair pair, Namespace namespace, int part)
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

    int verified() {
      return verified;
    }

    /** Begins to write a block or to read one that was written, and takes what has ended. */
    void goOn(Random random) throws VfioException {
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
    void finish() throws VfioException {
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
}
