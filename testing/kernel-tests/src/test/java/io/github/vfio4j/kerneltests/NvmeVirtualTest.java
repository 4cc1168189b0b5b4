package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeCommand;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.QueuePair;
import io.github.vfio4j.pci.VfToken;
import java.time.Duration;
import java.util.UUID;

/** A virtual function of a disk, and the physical one, which gives it queues and starts it. */
@OnMachine({"intel/legacy", "smmuv3"})
@Bound(Device.NVME_SRIOV)
class NvmeVirtualTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final UUID TOKEN = UUID.fromString("1f5b0c4e-7d3a-4f0e-9a57-5d0f6a1e8b11");

  private static final int VIRTUALIZATION_MANAGEMENT = 0x1c;
  private static final int PHYSICAL = 0;
  private static final int VIRTUAL = 1;
  private static final int QUEUES = 0;
  private static final int INTERRUPTS = 1;
  private static final int ALLOCATE_TO_PHYSICAL = 1;
  private static final int STOP = 7;
  private static final int ASSIGN = 8;
  private static final int START = 9;

  private static void manage(
      NvmeController physical, int controller, int action, int resource, int count)
      throws VfioException {
    physical.admin(
        NvmeCommand.of(VIRTUALIZATION_MANAGEMENT, 0)
            .withWord(10, action | resource << 8 | controller << 16)
            .withWord(11, count),
        PATIENCE);
  }

  @EachBackend
  void bothHaveTheSameBlocks(Backend backend) throws VfioException {
    try (OpenSpace open = OpenSpace.on(backend)) {
      VfioDevice physical = VfioDevice.open(Device.NVME_SRIOV.address(), open.space());
      VfToken.set(physical, TOKEN);
      try (NvmeController first = NvmeController.start(physical)) {
        manage(first, PHYSICAL, ALLOCATE_TO_PHYSICAL, INTERRUPTS, 0);
        manage(first, PHYSICAL, ALLOCATE_TO_PHYSICAL, QUEUES, 0);
        physical.reset(); // which lets go of what it has allocated
        first.reset();
        try (VirtualFunction function = VirtualFunction.of(Device.NVME_SRIOV.address())) {
          manage(first, VIRTUAL, ASSIGN, INTERRUPTS, 2);
          manage(first, VIRTUAL, ASSIGN, QUEUES, 2);
          manage(first, VIRTUAL, START, QUEUES, 0);
          assertThatExceptionOfType(NotPermittedException.class)
              .isThrownBy(() -> VfioDevice.open(function.device(), open.space()));
          try (VfioDevice device =
                  VfioDevice.open(function.device().withVfToken(TOKEN), open.space());
              NvmeController second = NvmeController.start(device)) {
            assertThat(second.identity().serialNumber()).isEqualTo("v");
            assertSameBlocks(open, first, second);
          }
          manage(first, VIRTUAL, STOP, QUEUES, 0);
        }
      }
      physical.close();
    }
  }

  private static void assertSameBlocks(OpenSpace open, NvmeController first, NvmeController second)
      throws VfioException {
    Namespace namespace = second.namespace(1);
    assertThat(first.namespace(1)).isEqualTo(namespace);
    int size = 64 << 10;
    try (DmaBuffer written = open.space().allocate(size);
        DmaBuffer read = open.space().allocate(size)) {
      EduDma.fill(written.segment(), 5);
      QueuePair writer = second.createQueuePairWithInterrupt(4);
      assertThat(writer.write(namespace, 100, written.slice(0, size), 1)).isTrue();
      writer.submit();
      writer.await((_, status) -> assertThat(status).isZero(), PATIENCE);

      QueuePair reader = first.createQueuePair(4);
      assertThat(reader.read(namespace, 100, read.slice(0, size), 2)).isTrue();
      reader.submit();
      reader.await((_, status) -> assertThat(status).isZero(), PATIENCE);
      assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
    }
  }
}
