package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.Vdevice;
import io.github.vfio4j.iommufd.Vevent;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events of a virtual IOMMU arrive, and those that are lost are told of. */
@OnMachine(value = "bare", since = "7.0")
class VeventTest {
  private static final int NUMBER = 0x99;
  private static final int DEEPEST = 1 << 19;
  private static final Duration LONG = Duration.ofSeconds(60);

  private VirtualMachine guest;
  private Vdevice vdevice;
  private HwptNested nested;

  @BeforeEach
  void start() throws VfioException {
    guest = VirtualMachine.start();
    nested = guest.nested();
    vdevice = guest.viommu().allocateVdevice(guest.device(), NUMBER);
    guest.device().replace(nested);
  }

  @AfterEach
  void end() throws VfioException {
    guest.close();
  }

  private VeventQueue queue(int depth) throws VfioException {
    return guest.viommu().allocateVeventQueue(MockData.EVENTS, depth, MockData.EVENT_SIZE);
  }

  private void raise(int count) throws VfioException {
    for (int i = 0; i < count; i++) {
      guest.device().raiseEvent();
    }
  }

  private static void assertEvent(Vevent event, int sequence, int number) {
    assertThat(event.lostEvents()).isFalse();
    assertThat(event.sequence()).isEqualTo(sequence);
    assertThat(event.data()).hasSize(MockData.EVENT_SIZE);
    assertThat(ByteBuffer.wrap(event.data()).order(LITTLE_ENDIAN).getInt()).isEqualTo(number);
  }

  @Test
  void eventNamesTheDeviceByTheGuestsNumber() throws IOException {
    VeventQueue queue = queue(2);
    assertThat(queue.await(Duration.ZERO)).isEmpty();
    raise(1);
    List<Vevent> events = queue.await(LONG);
    assertThat(events).hasSize(1);
    assertEvent(events.getFirst(), 0, NUMBER);
    assertThat(queue.await(Duration.ofMillis(1))).isEmpty();

    guest.device().replace(guest.space().ioas());
    vdevice.close();
    assertRefused(Errno.ENOENT, () -> raise(1));
    assertRefused(Errno.ENOENT, () -> guest.device().replace(nested));
    guest.viommu().allocateVdevice(guest.device(), 0x88);
    guest.device().replace(nested);
    raise(3);

    List<Vevent> more = queue.await(LONG);
    assertThat(more).hasSize(3);
    assertEvent(more.get(0), 1, 0x88);
    assertEvent(more.get(1), 2, 0x88);
    assertThat(more.get(2).lostEvents()).isTrue();
    assertThat(more.get(2).sequence()).isEqualTo(3);
    assertThat(more.get(2).data()).isEmpty();
    raise(1);
    assertEvent(queue.await(LONG).getFirst(), 4, 0x88);
  }

  @Test
  void noteOfLostEventsMovesOnWithTheLastOne() throws IOException {
    VeventQueue queue = queue(2);
    raise(7);

    List<Vevent> events = queue.await(LONG);

    assertThat(events).hasSize(3);
    assertEvent(events.get(0), 0, NUMBER);
    assertEvent(events.get(1), 1, NUMBER);
    assertThat(events.get(2).lostEvents()).isTrue();
    assertThat(events.get(2).sequence()).isEqualTo(6);
  }

  @Test
  void gapTellsOfEventsThatWereLostBetween() throws IOException {
    VeventQueue queue = queue(100);
    raise(102);
    List<Vevent> first = queue.await(LONG);
    assertThat(first).hasSize(64);
    for (int i = 0; i < 64; i++) {
      assertEvent(first.get(i), i, NUMBER);
    }

    raise(1); // there is room again: the note gives way to the event

    List<Vevent> second = queue.await(LONG);
    assertThat(second).hasSize(37);
    assertEvent(second.get(35), 99, NUMBER);
    assertEvent(second.get(36), 102, NUMBER);
  }

  @Test
  void depthHasLimitsAndThereIsOneQueueOfAType() throws IOException {
    assertThatIllegalArgumentException().isThrownBy(() -> queue(0));
    assertRefused(Errno.EINVAL, () -> queue(DEEPEST + 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> guest.viommu().allocateVeventQueue(MockData.EVENTS, 1))
        .withMessageContaining("not known here");
    VeventQueue deepest = queue(DEEPEST);
    VfioException second = assertRefused(VfioException.class, Errno.EEXIST, () -> queue(2));
    assertThat(second).hasMessageContaining("it has a queue of this type");
    raise(1);
    assertEvent(deepest.await(LONG).getFirst(), 0, NUMBER);
    deepest.close();
    queue(2);
  }

  @Test
  void eventsOfAnotherSizeThanSaidAreNotMisread() throws IOException {
    VeventQueue queue = guest.viommu().allocateVeventQueue(MockData.EVENTS, 2, 32);
    raise(1);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> queue.await(LONG))
        .withMessageContaining("ends within an event");
  }

  @Test
  void dispatcherBringsEvents() throws Exception {
    var arrived = new LinkedBlockingQueue<Vevent>();
    VeventQueue queue = queue(2);
    try (EventDispatcher dispatcher = EventDispatcher.start()) {
      raise(3);
      dispatcher.register(queue, (from, events) -> arrived.addAll(events));

      assertEvent(take(arrived), 0, NUMBER);
      assertEvent(take(arrived), 1, NUMBER);
      assertThat(take(arrived).lostEvents()).isTrue();
      raise(1);
      assertEvent(take(arrived), 3, NUMBER);
      queue.close();
      assertRefused(Errno.EOPNOTSUPP, () -> raise(1));
    }
    assertThat(arrived).isEmpty();
  }

  private static Vevent take(LinkedBlockingQueue<Vevent> arrived) throws InterruptedException {
    return Objects.requireNonNull(arrived.poll(60, SECONDS), "no event came");
  }

  @Test
  void closingWakesWhoWaits() throws Exception {
    VeventQueue queue = queue(2);
    CompletableFuture<List<Vevent>> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return queue.await(LONG);
              } catch (VfioException e) {
                throw new AssertionError(e);
              }
            });
    Thread.sleep(100); // so that it is likely waiting

    queue.close();

    assertThat(waiting)
        .failsWithin(LONG)
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(IllegalStateException.class)
        .withMessageContaining("closed");
    queue.close();
    assertThatIllegalStateException().isThrownBy(() -> queue.await(Duration.ZERO));
  }
}
