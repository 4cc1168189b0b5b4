package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Namespaces whose blocks lie in zones. */
class ZonesTest {
  private static final int BLOCK = 512;
  private static final int ZONE = 256;
  private static final int CAPACITY = 200;
  private static final int COUNT = 70; // more than a page of a report has room for
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final NvmeModel model = new NvmeModel(64, BLOCK).withZones(COUNT, ZONE, CAPACITY, 2, 3);
  private final List<String> ended = new ArrayList<>();
  private final QueuePair.Completions completions =
      new QueuePair.Completions() {
        @Override
        public void ended(long tag, int status) {
          ended.add(tag + ": " + new NvmeStatus(status));
        }

        @Override
        public void appended(long tag, long block) {
          ended.add(tag + " at " + block);
        }
      };

  private ModelHost host;
  private VfioDevice device;
  private NvmeController controller;
  private ZonedNamespace namespace;
  private QueuePair queues;
  private Zones zones;
  private DmaBuffer buffer;

  @BeforeEach
  void start() throws VfioException {
    host = ModelHost.of(model);
    device = host.open();
    controller = NvmeController.start(device);
    namespace = controller.zonedNamespaces().getFirst();
    queues = controller.createQueuePair(8);
    zones = controller.zones(namespace);
    buffer = device.addressSpace().allocate(1 << 20);
  }

  @AfterEach
  void stop() throws VfioException {
    zones.close();
    controller.close();
    buffer.close();
    device.close();
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  private void finish() throws VfioException {
    queues.drain(completions, PATIENCE);
  }

  private void write(long block, int count) throws VfioException {
    assertThat(
            queues.write(
                namespace.namespace(), block, buffer.slice(0, (long) count * BLOCK), block))
        .isTrue();
    finish();
  }

  private static void assertRefused(ThrowingCallable call, String status) {
    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(call)
        .withMessageContaining("namespace 2")
        .withMessageContaining(status);
  }

  private Zone.State state(int zone) throws VfioException {
    return zones.zone((long) zone * ZONE).state();
  }

  @Test
  void namespaceSaysWhatItIs() throws VfioException {
    assertThat(namespace)
        .isEqualTo(
            new ZonedNamespace(new Namespace(2, COUNT * ZONE, BLOCK), ZONE, 2, 3, 64 << 10, true));
    assertThat(namespace.zones()).isEqualTo(COUNT);
    assertThat(controller.namespaces())
        .containsExactly(new Namespace(1, 64, BLOCK), namespace.namespace());
  }

  @Test
  void zonesWithoutBlocksAreNone() {
    Namespace blocks = namespace.namespace();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ZonedNamespace(blocks, 0, 0, 0, 4096, true))
        .withMessageContaining("zones of 0 blocks");
  }

  @Test
  void controllerWithoutZonesHasNone() throws VfioException {
    try (ModelHost other = ModelHost.of(new NvmeModel(1, BLOCK));
        VfioDevice without = other.open();
        NvmeController plain = NvmeController.start(without)) {
      assertThat(plain.zonedNamespaces()).isEmpty();
    }
  }

  @Test
  void allZonesAreReported() throws VfioException {
    List<Zone> all = zones.report();

    assertThat(all).hasSize(COUNT);
    for (int i = 0; i < COUNT; i++) {
      long start = (long) i * ZONE;
      assertThat(all.get(i)).isEqualTo(new Zone(start, CAPACITY, start, Zone.State.EMPTY));
    }
  }

  @Test
  void zoneGoesThroughItsStates() throws VfioException {
    write(ZONE, 5);
    assertThat(zones.zone(ZONE))
        .isEqualTo(new Zone(ZONE, CAPACITY, ZONE + 5, Zone.State.IMPLICITLY_OPENED));
    zones.manage(ZoneAction.CLOSE, ZONE);
    assertThat(state(1)).isEqualTo(Zone.State.CLOSED);
    zones.manage(ZoneAction.OPEN, ZONE);
    assertThat(state(1)).isEqualTo(Zone.State.EXPLICITLY_OPENED);
    zones.manage(ZoneAction.FINISH, ZONE);
    assertThat(state(1)).isEqualTo(Zone.State.FULL);
    assertRefused(() -> zones.manage(ZoneAction.OPEN, ZONE), "Invalid Zone State Transition");
    assertRefused(() -> zones.manage(ZoneAction.CLOSE, ZONE), "Invalid Zone State Transition");
    zones.manage(ZoneAction.RESET, ZONE);
    assertThat(zones.zone(ZONE)).isEqualTo(new Zone(ZONE, CAPACITY, ZONE, Zone.State.EMPTY));
  }

  @Test
  void allZonesAreManagedAtOnce() throws VfioException {
    write(0, CAPACITY);
    write(ZONE, 1);
    zones.manage(ZoneAction.OPEN, 2 * ZONE);
    zones.manageAll(ZoneAction.CLOSE);
    assertThat(List.of(state(0), state(1), state(2), state(3)))
        .containsExactly(Zone.State.FULL, Zone.State.CLOSED, Zone.State.CLOSED, Zone.State.EMPTY);
    zones.manageAll(ZoneAction.OPEN);
    assertThat(List.of(state(1), state(2))).containsOnly(Zone.State.EXPLICITLY_OPENED);
    zones.manageAll(ZoneAction.FINISH);
    assertThat(List.of(state(1), state(2))).containsOnly(Zone.State.FULL);
    zones.manageAll(ZoneAction.RESET);
    assertThat(zones.report()).allMatch(zone -> zone.state() == Zone.State.EMPTY);
  }

  @Test
  void whatCannotBeWrittenIsRefusedByName() throws VfioException {
    write(0, 3);
    write(2, 1);
    write(CAPACITY - 1, 2);
    write(0, CAPACITY + 1);
    write(3, CAPACITY - 3);
    write(CAPACITY, 1);
    model.wearOut(2, 4, false);
    model.wearOut(2, 5, true);
    write(4 * ZONE, 1);
    write(5 * ZONE, 1);

    assertThat(ended)
        .containsExactly(
            "0: Successful Completion",
            "2: Zone Invalid Write",
            "199: Zoned Boundary Error",
            "0: Zoned Boundary Error",
            "3: Successful Completion",
            "200: Zone Is Full",
            "1024: Zone Is Read Only",
            "1280: Zone Is Offline");
    assertThat(state(4)).isEqualTo(Zone.State.READ_ONLY);
    assertThat(state(5)).isEqualTo(Zone.State.OFFLINE);
  }

  @Test
  void thereAreLimits() throws VfioException {
    zones.manage(ZoneAction.OPEN, 0);
    zones.manage(ZoneAction.OPEN, ZONE);
    assertRefused(() -> zones.manage(ZoneAction.OPEN, 2 * ZONE), "Too Many Open Zones");
    zones.manage(ZoneAction.CLOSE, 0);
    zones.manage(ZoneAction.OPEN, 2 * ZONE);
    zones.manage(ZoneAction.CLOSE, ZONE);
    assertRefused(() -> zones.manage(ZoneAction.OPEN, 3 * ZONE), "Too Many Active Zones");
  }

  /** Several at once, each told of its own place; the first error of one zone is of that one. */
  @Test
  void appendTellsOfThePlace() throws VfioException {
    for (int i = 0; i < 3; i++) {
      DmaSlice source = buffer.slice(i * 4096L, 4096);
      source.segment().fill((byte) (i + 1));
      assertThat(queues.append(namespace, 2 * ZONE, source, i)).isTrue();
    }
    queues.append(namespace, 69L * ZONE, buffer.slice(0, BLOCK), 3);
    queues.append(namespace, 0, buffer.slice(0, 64 << 10), 4);
    queues.append(namespace, 0, buffer.slice(0, 64 << 10), 5);
    queues.flush(namespace.namespace(), 6);
    finish();

    assertThat(ended)
        .containsExactly(
            "0 at 512",
            "1 at 520",
            "2 at 528",
            "3 at 17664",
            "4 at 0",
            "5: Zoned Boundary Error",
            "6: Successful Completion");
    DmaSlice read = buffer.slice(1 << 19, 4096);
    queues.read(namespace.namespace(), 528, read, 7);
    finish();
    assertThat(read.getLong(0)).isEqualTo(0x0303030303030303L);
    assertThat(ended).last().isEqualTo("7: Successful Completion"); // in the slot of an append
  }

  @Test
  void placeIsToldOfAsAnEndToWhoDoesNotAsk() throws VfioException {
    queues.append(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.drain((tag, status) -> ended.add(tag + ": " + new NvmeStatus(status)), PATIENCE);
    assertThat(ended).containsExactly("1: Successful Completion");
  }

  @Test
  void placeThatCannotBeIsAnErrorAndTheCommandEnds() throws VfioException {
    model.faults().answerAllOnes();
    queues.append(namespace, 0, buffer.slice(0, BLOCK), 1);
    queues.submit();
    assertThatThrownBy(() -> queues.poll(completions))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("appended blocks at 18446744073709551615, not from 0 to 255");
    assertThat(ended).containsExactly("1: Command Aborted By Host");
    assertThat(queues.outstanding()).isZero();
    queues.append(namespace, 0, buffer.slice(0, BLOCK), 2);
    finish();
    assertThat(ended).last().isEqualTo("2 at 1");
  }

  @Test
  void zonesAreThereAfterAReset() throws VfioException {
    write(0, 3);
    controller.reset();
    assertThat(queues.poll(completions)).isZero();
    queues.append(namespace, 0, buffer.slice(0, BLOCK), 1);
    finish();
    assertThat(ended).last().isEqualTo("1 at 3");
  }

  @Test
  void whatCannotBeIsRefusedBeforehand() {
    DmaSlice block = buffer.slice(0, BLOCK);
    for (long zone : new long[] {-1, 1, ZONE + 1, COUNT * ZONE, Long.MIN_VALUE, -ZONE}) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> queues.append(namespace, zone, block, 1));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> queues.manage(namespace, ZoneAction.RESET, zone, 1));
      assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> zones.zone(zone));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.append(namespace, 0, buffer.slice(0, 65 << 10), 1))
        .withMessageContaining("up to 0x10000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> queues.append(namespace, 0, buffer.slice(0, 100), 1));
    for (int size : new int[] {64, 100, 130}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> queues.report(namespace, 0, buffer.slice(0, size), 1));
    }
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> queues.report(namespace, COUNT * ZONE, buffer.slice(0, 4096), 1));
    assertThat(queues.outstanding()).isZero();
  }

  /** Each line is a report of one zone: how many, its state, capacity, start and pointer. */
  @ParameterizedTest
  @CsvSource({
    "2, 1, 200, 0, 0, 2 zones",
    "-1, 1, 200, 0, 0, 18446744073709551615 zones",
    "1, 0, 200, 0, 0, a zone in state 0",
    "1, 9, 200, 0, 0, a zone in state 9",
    "1, 1, 257, 0, 0, a zone of 257 blocks at block 0",
    "1, 1, -1, 0, 0, a zone of -1 blocks",
    "1, 1, 200, 1, 1, a zone of 200 blocks at block 1",
    "1, 1, 200, 17920, 17920, at block 17920",
    "1, 1, 200, -256, 0, at block -256",
    "1, 2, 200, 256, 255, whose next one is 255",
    "1, 2, 200, 256, 457, whose next one is 457"
  })
  void reportOfWhatCannotBeIsRefused(
      long count, int state, long capacity, long start, long pointer, String message) {
    DmaSlice report = buffer.slice(0, 128);
    report.setLong(0, count);
    report.setByte(65, (byte) (state << 4));
    report.setLong(72, capacity);
    report.setLong(80, start);
    report.setLong(88, pointer);
    assertThatThrownBy(() -> Zone.of(namespace, report))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining(message);
  }

  @Test
  void reportInAWrongOrderIsRefused() throws VfioException {
    DmaSlice report = buffer.slice(0, 192);
    queues.report(namespace, 0, report, 1);
    finish();
    assertThat(Zone.of(namespace, report)).hasSize(2);
    report.setLong(144, 0);
    report.setLong(152, 0);
    assertThatThrownBy(() -> Zone.of(namespace, report)).hasMessageContaining("block 0 after 0");
  }
}
