package io.github.vfio4j.handover;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandoverSocketTest {
  private static final Duration NOW = Duration.ZERO;
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final byte[] TEXT = {1, 2, 3};

  private HandoverSocket one;
  private HandoverSocket other;

  @BeforeEach
  void connect() throws VfioException {
    List<HandoverSocket> pair = HandoverSocket.pair();
    one = pair.getFirst();
    other = pair.getLast();
  }

  @AfterEach
  void close() throws VfioException {
    one.close();
    other.close();
  }

  private static List<OpenFile> times(int count, OpenFile file) {
    return IntStream.range(0, count).mapToObj(_ -> file).toList();
  }

  @Test
  void memoryArrivesWithWhatIsInItAndOutlivesTheSendersOwn() throws IOException {
    try (MemoryFile memory = MemoryFile.create("handed over", 2 * 4096);
        OpenFile file = OpenFile.of(memory)) {
      memory.segment().set(JAVA_BYTE, 5000, (byte) 42);
      one.send(TEXT, List.of(file), NOW);
    }
    try (Message message = other.receive(100, 4, NOW).orElseThrow()) {
      assertThat(message.bytes()).isEqualTo(TEXT);
      assertThat(message.files()).hasSize(1);
      OpenFiles.assertClosedOnExec(message.files().getFirst().fd());
      try (MemoryFile received = MemoryFile.ofFd(message.files().getFirst().fd())) {
        assertThat(received.size()).isEqualTo(2 * 4096);
        assertThat(received.segment().get(JAVA_BYTE, 5000)).isEqualTo((byte) 42);
      }
    }
    assertThat(OpenFiles.like("handed over")).isZero();
  }

  @Test
  void manyFilesAndManyBytesGoInOneMessage() throws IOException {
    byte[] most = new byte[HandoverSocket.MOST_BYTES];
    most[most.length - 1] = 7;
    try (MemoryFile memory = MemoryFile.create("many of it", 1);
        OpenFile file = OpenFile.of(memory)) {
      one.send(most, times(HandoverSocket.MOST_FILES, file), NOW);
      Message message =
          other.receive(HandoverSocket.MOST_BYTES, HandoverSocket.MOST_FILES, NOW).orElseThrow();

      assertThat(message.bytes()).isEqualTo(most);
      assertThat(message.files()).hasSize(HandoverSocket.MOST_FILES);
      message.close();
      message.close();
      assertThat(OpenFiles.like("many of it")).isEqualTo(2);
    }
  }

  @Test
  void messageWithMoreThanAllowedIsRefusedAndLeavesNothingOpen() throws IOException {
    try (MemoryFile memory = MemoryFile.create("too much of it", 1);
        OpenFile file = OpenFile.of(memory)) {
      for (int allowed = 0; allowed < 5; allowed++) {
        int most = allowed;
        one.send(TEXT, times(5, file), NOW);
        assertLost(() -> other.receive(100, most, NOW));
        assertThat(OpenFiles.like("too much of it")).as("%d allowed", allowed).isEqualTo(2);
      }
      one.send(TEXT, times(3, file), NOW);
      assertLost(() -> other.receive(2, 3, NOW));
      assertThat(OpenFiles.like("too much of it")).isEqualTo(2);

      one.send(TEXT, List.of(file), NOW);
      try (Message next = other.receive(3, 1, NOW).orElseThrow()) {
        assertThat(next.bytes()).isEqualTo(TEXT);
      }
    }
  }

  private static void assertLost(org.assertj.core.api.ThrowableAssert.ThrowingCallable receiving) {
    assertThatThrownBy(receiving)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the message has more than")
        .hasMessageContaining("it is lost");
  }

  @Test
  void filesThatNobodyReceivesAreClosedWithTheSocket() throws IOException {
    try (MemoryFile memory = MemoryFile.create("never received", 1)) {
      try (OpenFile file = OpenFile.of(memory)) {
        one.send(TEXT, List.of(file), NOW);
      }
      other.close();
      assertThat(OpenFiles.like("never received")).isEqualTo(1);
    }
  }

  @Test
  void nothingArrivesInTime() throws VfioException {
    assertThat(other.receive(1, 0, NOW)).isEmpty();
    assertThat(other.receive(1, 0, Duration.ofMillis(20))).isEmpty();
  }

  @Test
  void waiterGetsWhatIsSentLater() throws Exception {
    CompletableFuture<Optional<Message>> waiting =
        CompletableFuture.supplyAsync(() -> receive(other, SOON));
    Thread.sleep(50);
    one.send(TEXT, List.of(), NOW);

    assertThat(waiting.get().orElseThrow().bytes()).isEqualTo(TEXT);
  }

  private static Optional<Message> receive(HandoverSocket socket, Duration timeout) {
    try {
      return socket.receive(100, 0, timeout);
    } catch (VfioException e) {
      throw new CompletionException(e);
    }
  }

  @Test
  void closingWakesWhoeverWaits() throws Exception {
    CompletableFuture<Optional<Message>> waiting =
        CompletableFuture.supplyAsync(() -> receive(other, SOON));
    Thread.sleep(50);
    other.close();

    assertThatThrownBy(waiting::get).hasCauseInstanceOf(IllegalStateException.class);
    assertThatIllegalStateException().isThrownBy(() -> other.receive(1, 0, NOW));
    assertThatIllegalStateException().isThrownBy(() -> other.send(TEXT, List.of(), NOW));
    assertThatIllegalStateException().isThrownBy(other::peer);
    other.close();
  }

  @Test
  void theOtherSidesEndIsTold() throws VfioException {
    one.send(TEXT, List.of(), NOW);
    one.close();

    assertThat(other.receive(3, 0, NOW).orElseThrow().bytes()).isEqualTo(TEXT);
    assertThatThrownBy(() -> other.receive(3, 0, SOON))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the other side has closed the connection");
    assertThatThrownBy(() -> other.send(TEXT, List.of(), SOON))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("EPIPE")
        .hasMessageContaining("the other side has closed the connection");
  }

  @Test
  void fullQueueIsToldInTime() throws VfioException {
    byte[] much = new byte[HandoverSocket.MOST_BYTES];
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 1000; i++) {
                one.send(much, List.of(), Duration.ofMillis(10));
              }
            })
        .isInstanceOfSatisfying(
            VfioException.class, e -> assertThat(e.errno()).contains(Errno.EAGAIN))
        .hasMessageContaining("has taken nothing within PT0.01S");
    other.receive(HandoverSocket.MOST_BYTES, 0, NOW);
    one.send(TEXT, List.of(), NOW);
  }

  @Test
  void whatNoMessageCanHaveIsRefused() throws IOException {
    try (MemoryFile memory = MemoryFile.create("refused", 1);
        OpenFile file = OpenFile.of(memory)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.send(new byte[0], List.of(), NOW))
          .withMessageContaining("1 to 65536 bytes");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.send(new byte[HandoverSocket.MOST_BYTES + 1], List.of(), NOW));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.send(TEXT, times(HandoverSocket.MOST_FILES + 1, file), NOW));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.send(TEXT, List.of(), Duration.ofNanos(-1)));
      assertThatIllegalArgumentException().isThrownBy(() -> one.receive(0, 0, NOW));
      assertThatIllegalArgumentException().isThrownBy(() -> one.receive(1, -1, NOW));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> one.receive(1, HandoverSocket.MOST_FILES + 1, NOW));

      OpenFile closed = OpenFile.of(memory);
      closed.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> one.send(TEXT, List.of(file, closed), NOW));
      assertThat(other.receive(1, 0, NOW)).isEmpty();
    }
  }

  @Test
  void socketsCanBeHandedOnThemselves() throws IOException {
    List<HandoverSocket> pair = HandoverSocket.pair();
    try (HandoverSocket kept = pair.getFirst();
        HandoverSocket given = pair.getLast()) {
      Kernel kernel = Kernel.running();
      EventFd event = new EventFd(kernel, "event");
      event.open();
      assertThatThrownBy(() -> event.fd().call(Uncaught::socketOf))
          .hasCauseInstanceOf(VfioException.class)
          .hasMessageContaining("it is no socket");
      event.close();
      try (HandoverSocket again = HandoverSocket.ofFd(given.fd())) {
        again.send(TEXT, List.of(), NOW);
        assertThat(kept.receive(3, 0, NOW).orElseThrow().bytes()).isEqualTo(TEXT);
      }
    }
  }

  @Test
  @SuppressWarnings("try") // closed early, and again
  void othersConnectAtAPath(@TempDir Path directory) throws IOException {
    Path path = directory.resolve("socket");
    try (HandoverListener listener = HandoverListener.listen(path)) {
      assertThat(listener.accept(NOW)).isEmpty();
      assertThatThrownBy(() -> HandoverListener.listen(path))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("EADDRINUSE: there is a file of this name already");
      try (HandoverSocket client = HandoverSocket.connect(path, NOW);
          HandoverSocket server = listener.accept(SOON).orElseThrow()) {
        assertThat(server.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
        assertThat(client.peer().user()).isEqualTo(server.peer().user());
        client.send(TEXT, List.of(), NOW);
        assertThat(server.receive(3, 0, SOON).orElseThrow().bytes()).isEqualTo(TEXT);
        listener.close();
        server.send(TEXT, List.of(), NOW);
        assertThat(client.receive(3, 0, SOON)).isPresent();
      }
      assertThat(Files.exists(path)).isFalse();
      assertThatIllegalStateException().isThrownBy(() -> listener.accept(NOW));
      listener.close();
    }
    assertThatThrownBy(() -> HandoverSocket.connect(path, NOW))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("ENOENT");
  }

  @Test
  void pathsThatNoSocketCanHaveAreRefused(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> HandoverSocket.connect(file, NOW))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("nobody listens there");
    Path tooLong = Path.of("/" + "x".repeat(107));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HandoverSocket.connect(tooLong, NOW))
        .withMessageContaining("1 to 107 bytes, not 108");
    assertThatIllegalArgumentException().isThrownBy(() -> HandoverListener.listen(tooLong));
    assertThatIllegalArgumentException().isThrownBy(() -> HandoverListener.listen(Path.of("")));
  }

  @Test
  void fullBacklogIsToldInTime(@TempDir Path directory) throws IOException {
    Path path = directory.resolve("socket");
    List<HandoverSocket> connected = new ArrayList<>();
    try (HandoverListener listener = HandoverListener.listen(path)) {
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 100; i++) {
                  connected.add(HandoverSocket.connect(path, Duration.ofMillis(5)));
                }
              })
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("has not accepted earlier connections within PT0.005S");
      assertThat(connected).hasSizeGreaterThan(10);
      listener.accept(NOW).orElseThrow().close();
    }
    for (HandoverSocket each : connected) {
      each.close();
    }
  }

  /** Takes an exception through a call that declares none. */
  private static final class Uncaught {
    static int socketOf(int number) {
      try {
        HandoverSocket.ofFd(number).close();
        return 0;
      } catch (VfioException e) {
        throw new CompletionException(e);
      }
    }
  }
}
