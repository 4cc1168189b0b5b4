package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
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
      VerifiedBlocks.run(device, controller, OPERATIONS);
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
}
