package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.InvalidationException;
import io.github.vfio4j.iommufd.PageTable;
import io.github.vfio4j.iommufd.Vevent;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.smmuv3.CommandBatch;
import io.github.vfio4j.smmuv3.Event;
import io.github.vfio4j.smmuv3.EventClass;
import io.github.vfio4j.smmuv3.EventReason;
import io.github.vfio4j.smmuv3.PageFlag;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Faults of a guest's page tables arrive as the guest's events. */
@OnMachine(value = "smmuv3", since = "6.15")
class NestedEventTest extends NestedTests {
  private static final int DEPTH = 4;
  private static final Duration LONG = Duration.ofSeconds(60);

  private VeventQueue queue;

  @BeforeEach
  void open() throws VfioException {
    queue = viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, DEPTH);
  }

  /** QEMU makes one event of a failed access of this size, and many of a larger one. */
  private void read(long input) throws VfioException {
    EduDma.wordToDevice(edu, input);
  }

  private void write(long input) throws VfioException {
    EduDma.wordFromDevice(edu, input);
  }

  private Event take() throws VfioException {
    List<Vevent> events = queue.await(LONG);
    assertThat(events).hasSize(1);
    return Event.of(events.getFirst());
  }

  private static void assertFault(Event event, EventReason reason, boolean write, long address) {
    assertThat(event.reason()).as("%s", event).isEqualTo(reason);
    assertThat(event.stream()).isEqualTo(STREAM);
    assertThat(event.substream()).isEmpty();
    assertThat(event.address()).hasValue(address);
    assertThat(event.write()).isEqualTo(write);
    assertThat(event.read()).isEqualTo(!write);
    assertThat(event.eventClass()).contains(EventClass.INPUT);
    assertThat(event.stalled()).isFalse();
    assertThat(event.privileged()).isFalse();
    assertThat(event.instruction()).isFalse();
    assertThat(event.intermediateAddress()).isEmpty();
  }

  @Test
  void readOfAnUnmappedAddressIsATranslationFault() throws IOException {
    assertThat(queue.await(Duration.ZERO)).isEmpty();
    MemorySegment sent = guest.fill(1);

    read(INPUT + 8);

    assertFault(take(), EventReason.F_TRANSLATION, false, INPUT + 8);
    map(INPUT, 1); // as a guest does that brings a page in
    assertReads(INPUT, sent);
    assertThat(queue.await(Duration.ZERO)).isEmpty();
  }

  @Test
  void addressBeyondTheTablesIsATranslationFault() throws IOException {
    write(1L << SmmuGuest.INPUT_BITS);

    assertFault(take(), EventReason.F_TRANSLATION, true, 1L << SmmuGuest.INPUT_BITS);
  }

  @Test
  void writeToAReadOnlyPageIsAPermissionFault() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1, PageFlag.READ_ONLY);
    assertReads(INPUT, sent);

    write(INPUT);

    assertFault(take(), EventReason.F_PERMISSION, true, INPUT);
    assertThat(guest.page(1).mismatch(sent)).isEqualTo(-1);
  }

  @Test
  void firstAccessOfAPageIsAnAccessFaultWhereTheGuestWantsToKnow() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1, PageFlag.NOT_ACCESSED);

    read(INPUT);

    assertFault(take(), EventReason.F_ACCESS, false, INPUT);
    tables.remap(INPUT, SmmuGuest.pageAddress(1), PAGE);
    viommu.invalidate(new CommandBatch(1).tlbiNhVaLeaf(SmmuGuest.ASID, INPUT).batch());
    assertReads(INPUT, sent);
  }

  @Test
  void outputWithTooManyBitsIsAnAddressSizeFault() throws IOException {
    tables.map(INPUT, 1L << 47, PAGE);

    read(INPUT);

    Event event = take();
    assertThat(event.reason()).isEqualTo(EventReason.F_ADDR_SIZE);
    assertThat(event.stream()).isEqualTo(STREAM);
    assertThat(event.address()).hasValue(INPUT);
  }

  @Test
  void invalidDescriptorIsToldOfOnceTheSmmuReadsIt() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);
    assertReads(INPUT, sent);
    guest.clearDescriptor();
    assertReads(INPUT, sent);

    viommu.invalidate(new CommandBatch(1).cfgiCd(STREAM, 0).batch());
    EduDma.attemptFromDevice(edu, INPUT);

    Event event = Event.of(queue.await(LONG).getFirst());
    assertThat(event.reason()).isEqualTo(EventReason.C_BAD_CD);
    assertThat(event.stream()).isEqualTo(STREAM);
    assertThat(event.address()).isEmpty();
    assertThat(guest.page(1).mismatch(sent)).isEqualTo(-1);
    guest.describe(0, tables, SmmuGuest.ASID);
    assertReads(INPUT, sent);
  }

  /** The guest has to map where its interrupts go, too. */
  @Test
  void interruptThatTheGuestDoesNotMapIsATranslationFault() throws IOException {
    IovaRange messages = Machine.interruptWindow();
    assertThat(edu.raiseInterrupt(1)).isEqualTo(1);
    tables.unmap(messages.first(), messages.last() + 1 - messages.first());
    viommu.invalidate(new CommandBatch(1).tlbiNhAsid(SmmuGuest.ASID).batch());

    EduDma.attemptInterrupt(edu);

    Event event = take();
    assertThat(event.reason()).isEqualTo(EventReason.F_TRANSLATION);
    assertThat(event.stream()).isEqualTo(STREAM);
    assertThat(event.write()).isTrue();
    assertThat(event.address().orElseThrow()).isBetween(messages.first(), messages.last());
    assertThat(edu.interrupt().await(Duration.ofMillis(100))).isZero();
  }

  @Test
  void eventsOfSeveralDevicesNameTheirs() throws IOException {
    CdevDevice second = device(Machine.EDU_2, guest.iommufd());
    viommu.allocateVdevice(second, 5);
    second.attach(guest.nested(second, 0));
    try (Edu other = Edu.start(second)) {
      EduDma.wordToDevice(other, INPUT);
      read(INPUT + PAGE);
    }

    List<Vevent> events = queue.await(LONG);
    assertThat(events).extracting(Vevent::sequence).containsExactly(0, 1);
    assertThat(events).extracting(event -> Event.of(event).stream()).containsExactly(5L, STREAM);
  }

  @Test
  void dispatcherBringsEvents() throws Exception {
    var arrived = new LinkedBlockingQueue<Event>();
    try (EventDispatcher dispatcher = EventDispatcher.start()) {
      dispatcher.register(queue, (_, events) -> events.forEach(e -> arrived.add(Event.of(e))));

      read(INPUT);
      assertFault(take(arrived), EventReason.F_TRANSLATION, false, INPUT);
      write(INPUT + PAGE);
      assertFault(take(arrived), EventReason.F_TRANSLATION, true, INPUT + PAGE);
    }
    assertThat(arrived).isEmpty();
  }

  private static Event take(LinkedBlockingQueue<Event> arrived) throws InterruptedException {
    return Objects.requireNonNull(arrived.poll(LONG.toSeconds(), SECONDS), "no event came");
  }

  @Test
  void whatDoesNotFitIntoTheQueueIsNoted() throws IOException {
    for (int i = 0; i < 7; i++) {
      read(INPUT + (long) i * PAGE);
    }

    List<Vevent> events = queue.await(LONG);

    assertThat(events).hasSize(DEPTH + 1);
    for (int i = 0; i < DEPTH; i++) {
      assertThat(events.get(i).sequence()).isEqualTo(i);
      assertFault(
          Event.of(events.get(i)), EventReason.F_TRANSLATION, false, INPUT + (long) i * PAGE);
    }
    assertThat(events.getLast().lostEvents()).isTrue();
    assertThat(events.getLast().sequence()).isEqualTo(6);
    read(INPUT);
    assertThat(queue.await(LONG)).extracting(Vevent::sequence).containsExactly(7);
  }

  /** What the host has taken away is the host's business. */
  @Test
  void faultOfTheHostsStageIsNoEvent() throws IOException {
    MemorySegment before = guest.fill(SmmuGuest.LAST);
    map(INPUT, SmmuGuest.LAST);
    guest.loseLastPage();

    write(INPUT);
    read(INPUT + PAGE);

    assertFault(take(), EventReason.F_TRANSLATION, false, INPUT + PAGE);
    assertThat(guest.page(SmmuGuest.LAST).mismatch(before)).isEqualTo(-1);
  }

  /** The kernel knows the number until the device is attached to something else. */
  @Test
  void deviceWithoutNumberKeepsItsOldOneInEvents() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);
    PageTable nested = device.attached().orElseThrow();

    vdevice.close();

    assertReads(INPUT, sent);
    read(INPUT + PAGE);
    assertFault(take(), EventReason.F_TRANSLATION, false, INPUT + PAGE);
    assertThatThrownBy(() -> viommu.invalidate(new CommandBatch(1).cfgiCdAll(STREAM).batch()))
        .isInstanceOf(InvalidationException.class);
    viommu.allocateVdevice(device, 6);
    device.detach();
    device.attach(nested);
    read(INPUT + PAGE);
    assertThat(take().stream()).isEqualTo(6);
  }
}
