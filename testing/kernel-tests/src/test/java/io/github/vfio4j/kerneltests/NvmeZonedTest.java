package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeException;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import io.github.vfio4j.nvme.Zone;
import io.github.vfio4j.nvme.ZoneAction;
import io.github.vfio4j.nvme.ZonedNamespace;
import io.github.vfio4j.nvme.Zones;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** Zones of QEMU's controller: 64 of 1 MiB, of which 768 KiB can be written. */
@OnMachine({"intel/legacy", "smmuv3"})
@Bound(Device.NVME_3)
class NvmeZonedTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int BLOCK = 512;
  private static final int COUNT = 64;
  private static final int ZONE = 2048;
  private static final int CAPACITY = 1536;
  private static final int PART = 8192;
  private static final int DEPTH = 8;

  /** Notes where commands have written, or how they failed. */
  private static final class Places implements QueuePair.Completions {
    private final long[] places = new long[DEPTH];
    private int status;

    @Override
    public void ended(long tag, int ended) {
      status = ended;
    }

    @Override
    public void appended(long tag, long block) {
      places[(int) tag] = block;
    }

    NvmeStatus last() {
      return new NvmeStatus(status);
    }
  }

  private static ZonedNamespace zoned(NvmeController controller) throws VfioException {
    return controller.zonedNamespaces().getFirst();
  }

  @EachBackend
  void zonesAreToldAndChangeTheirStates(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device);
        Zones zones = controller.zones(zoned(controller))) {
      assertThat(controller.namespaces()).extracting(Namespace::id).containsExactly(1, 2);
      assertThat(zones.namespace())
          .isEqualTo(
              new ZonedNamespace(
                  new Namespace(2, (long) COUNT * ZONE, BLOCK), ZONE, 3, 5, PART, false));
      zones.manageAll(ZoneAction.RESET);
      List<Zone> all = zones.report();
      assertThat(all).hasSize(COUNT);
      assertThat(all.getLast())
          .isEqualTo(new Zone(63 * ZONE, CAPACITY, 63 * ZONE, Zone.State.EMPTY));

      zones.manage(ZoneAction.OPEN, ZONE);
      assertThat(zones.zone(ZONE).state()).isEqualTo(Zone.State.EXPLICITLY_OPENED);
      zones.manage(ZoneAction.CLOSE, ZONE);
      assertThat(zones.zone(ZONE).state()).isEqualTo(Zone.State.CLOSED);
      zones.manage(ZoneAction.FINISH, ZONE);
      assertThat(zones.zone(ZONE).state()).isEqualTo(Zone.State.FULL);
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> zones.manage(ZoneAction.OPEN, ZONE))
          .withMessageContaining("Invalid Zone State Transition");
      zones.manage(ZoneAction.RESET, ZONE);
      assertThat(zones.zone(ZONE).state()).isEqualTo(Zone.State.EMPTY);

      for (int zone = 0; zone < 3; zone++) {
        zones.manage(ZoneAction.OPEN, (long) zone * ZONE);
      }
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> zones.manage(ZoneAction.OPEN, 3 * ZONE))
          .withMessageContaining("Too Many Open Zones");
      zones.manageAll(ZoneAction.CLOSE);
      zones.manage(ZoneAction.OPEN, 3 * ZONE);
      zones.manage(ZoneAction.OPEN, 4 * ZONE);
      assertThatExceptionOfType(NvmeException.class)
          .isThrownBy(() -> zones.manage(ZoneAction.OPEN, 5 * ZONE))
          .withMessageContaining("Too Many Active Zones");
      zones.manageAll(ZoneAction.RESET);
    }
  }

  /**
   * Each part is where its end has told, all of them fill a zone without gaps, and a reset of the
   * controller changes none of it.
   */
  @EachBackend
  void whatWasAppendedIsWhereItWasTold(Backend backend) throws VfioException {
    Places places = new Places();
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate((DEPTH + 1) * PART)) {
      ZonedNamespace namespace = zoned(controller);
      QueuePair queues = controller.createQueuePair(DEPTH);
      long zone = 7 * ZONE;
      try (Zones zones = controller.zones(namespace)) {
        zones.manage(ZoneAction.RESET, zone);
      }
      int blocks = PART / BLOCK;
      boolean[] seen = new boolean[CAPACITY / blocks];
      for (int round = 0; round < seen.length / DEPTH; round++) {
        for (int i = 0; i < DEPTH; i++) {
          DmaSlice part = buffer.slice((long) i * PART, PART);
          part.segment().fill((byte) (round * DEPTH + i));
          assertThat(queues.append(namespace, zone, part, i)).isTrue();
        }
        queues.drain(places, PATIENCE);
        if (round == 5) {
          controller.reset();
          assertThat(queues.poll(places)).isZero();
        }
        for (int i = 0; i < DEPTH; i++) {
          long place = places.places[i];
          assertThat((place - zone) % blocks).isZero();
          assertThat(seen[(int) (place - zone) / blocks]).isFalse();
          seen[(int) (place - zone) / blocks] = true;
          DmaSlice read = buffer.slice((long) DEPTH * PART, PART);
          assertThat(queues.read(namespace.namespace(), place, read, 0)).isTrue();
          queues.drain(places, PATIENCE);
          assertThat(places.last()).isEqualTo(NvmeStatus.SUCCESS);
          assertThat(read.segment().mismatch(buffer.segment().asSlice((long) i * PART, PART)))
              .isEqualTo(-1);
        }
      }
      assertThat(Arrays.toString(seen)).doesNotContain("false");
      assertThat(queues.append(namespace, zone, buffer.slice(0, BLOCK), 0)).isTrue();
      queues.drain(places, PATIENCE);
      assertThat(places.last()).hasToString("Zone Is Full");
    }
  }

  @EachBackend
  void writesBesideThePointerAreRefusedByName(Backend backend) throws VfioException {
    Places places = new Places();
    try (VfioDevice device = VfioDevice.open(Machine.NVME_3, backend);
        NvmeController controller = NvmeController.start(device);
        DmaBuffer buffer = device.addressSpace().allocate(PART)) {
      ZonedNamespace namespace = zoned(controller);
      QueuePair queues = controller.createQueuePairWithInterrupt(DEPTH);
      try (Zones zones = controller.zones(namespace)) {
        zones.manageAll(ZoneAction.RESET);
      }
      Namespace written = namespace.namespace();
      write(queues, places, written, 0, BLOCK, buffer);
      assertThat(places.last()).isEqualTo(NvmeStatus.SUCCESS);
      write(queues, places, written, 5, BLOCK, buffer);
      assertThat(places.last()).hasToString("Zone Invalid Write");
      int blocks = PART / BLOCK;
      long pointer = 1;
      for (; pointer + blocks <= CAPACITY; pointer += blocks) {
        write(queues, places, written, pointer, PART, buffer);
        assertThat(places.last()).isEqualTo(NvmeStatus.SUCCESS);
      }
      write(queues, places, written, pointer, PART, buffer);
      assertThat(places.last()).hasToString("Zoned Boundary Error");
    }
  }

  private static void write(
      QueuePair queues, Places places, Namespace namespace, long block, int size, DmaBuffer buffer)
      throws VfioException {
    assertThat(queues.write(namespace, block, buffer.slice(0, size), 0)).isTrue();
    queues.drain(places, PATIENCE);
  }
}
