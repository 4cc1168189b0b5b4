package io.github.vfio4j.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.takeover.RunningIommufd;
import io.github.vfio4j.takeover.RunningText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Until the other process has said that it goes on, everything is this one's. */
class HandoverTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration NOW = Duration.ZERO;
  private static final long PAGE = 4096;

  @TempDir Path root;
  private FakeMachine machine;
  private MemoryFile memory;
  private Iommufd iommufd;
  private Ioas ioas;
  private HandoverSocket socket;
  private HandoverSocket other;

  @BeforeEach
  void run() throws VfioException {
    machine = new FakeMachine(root);
    memory = MemoryFile.create("handed over", PAGE);
    iommufd = Iommufd.open(machine.host);
    ioas = iommufd.allocateIoas();
    ioas.mapFile(memory, 0, 0x10000, PAGE, DmaAccess.READ_WRITE);
    CdevDevice device = iommufd.bind(machine.device());
    device.attach(ioas);
    device.pci().msix().enable(0);
    List<HandoverSocket> pair = HandoverSocket.pair();
    socket = pair.getFirst();
    other = pair.getLast();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    socket.close();
    other.close();
    iommufd.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
    memory.close();
    assertThat(OpenFiles.like("handed over")).isZero();
  }

  private void send(byte[] state, Duration timeout) throws VfioException {
    Handover.send(socket, iommufd, List.of(memory), state, timeout);
  }

  /** What the other process has read when it says that it has taken over. */
  private record Received(RunningText.Whole text, int files, byte lastWord) {}

  private CompletableFuture<Received> received() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            int files = 0;
            byte[] bytes;
            do {
              try (Message part =
                  other
                      .receive(HandoverSocket.MOST_BYTES, HandoverSocket.MOST_FILES, SOON)
                      .orElseThrow()) {
                bytes = part.bytes();
                text.write(bytes, 1, bytes.length - 1);
                files += part.files().size();
              }
            } while (bytes[0] != 0);
            other.send(new byte[] {'t'}, List.of(), SOON);
            return new Received(
                RunningText.read(text.toByteArray(), "a test"),
                files,
                other.receive(1, 0, SOON).orElseThrow().bytes()[0]);
          } catch (VfioException e) {
            throw new CompletionException(e);
          }
        });
  }

  @Test
  void allIsSentAndNothingOfTheKernelsIsDestroyed() throws VfioException {
    CompletableFuture<Received> waiting = received();
    machine.kernel.log().clear();
    byte[] state = new byte[3 * HandoverSocket.MOST_BYTES];
    state[state.length - 1] = 7;
    send(state, SOON);

    Received received = waiting.join();
    assertThat(received.text.state()).isEqualTo(state);
    assertThat(received.text.running().devices()).hasSize(1);
    assertThat(received.text.running().addressSpaces().getFirst().mappings()).hasSize(1);
    assertThat(received.text.memoryCount()).isEqualTo(1);
    assertThat(received.files).isEqualTo(4);
    assertThat(received.lastWord).isEqualTo((byte) 'g');
    assertThat(machine.kernel.log()).containsExactly("IOMMU_IOAS_CHANGE_PROCESS");
    assertThatIllegalStateException().isThrownBy(iommufd::allocateIoas);
    assertThat(memory.segment().byteSize()).isEqualTo(PAGE);
  }

  private void assertGoesOn() throws VfioException {
    ioas.unmap(0x10000, PAGE);
    ioas.mapFile(memory, 0, 0x10000, PAGE, DmaAccess.READ_WRITE);
    iommufd.allocateIoas().close();
  }

  @Test
  void kernelThatCannotIsToldBeforeAnythingIsSent() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_IOAS_CHANGE_PROCESS, Errno.ENOTTY);

    assertThatThrownBy(() -> send(new byte[0], SOON))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("Linux 6.13 was the first that had it");

    machine.kernel.failNoMore();
    assertThat(other.receive(1, 0, NOW)).isEmpty();
    assertGoesOn();
  }

  @Test
  void otherProcessThatEndsIsTold() throws VfioException {
    other.close();

    assertThatThrownBy(() -> send(new byte[0], SOON))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the other side has closed the connection");

    assertGoesOn();
  }

  @Test
  void silentProcessIsToldAndTheMemoryCountsAsThisOnesAgain() throws VfioException {
    machine.kernel.log().clear();
    assertThatThrownBy(() -> send(new byte[0], Duration.ofMillis(1)))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the other process is silent for PT0.001S");

    assertThat(machine.kernel.log())
        .containsExactly("IOMMU_IOAS_CHANGE_PROCESS", "IOMMU_IOAS_CHANGE_PROCESS");
    assertGoesOn();
  }

  @Test
  void answerThatMakesNoSenseIsRefused() throws VfioException {
    other.send(new byte[] {'x'}, List.of(), NOW);

    assertThatThrownBy(() -> send(new byte[0], SOON))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("answers what makes no sense");

    assertGoesOn();
  }

  @Test
  void whatNobodyCanSendIsRefused() throws VfioException {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> send(new byte[(1 << 24) + 1], SOON))
        .withMessageContaining("up to 16777216 bytes");
    assertThatIllegalArgumentException().isThrownBy(() -> send(new byte[0], Duration.ofNanos(-1)));
    MemoryFile closed = MemoryFile.create("handed over", PAGE);
    closed.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> Handover.send(socket, iommufd, List.of(closed), new byte[0], SOON));

    assertGoesOn();
  }

  @Test
  void whatMakesNoSenseIsNotTakenOverAndItsFilesAreClosed() throws IOException {
    for (byte[] bytes :
        List.of(new byte[] {0}, new byte[] {0, 1, 2, 3}, new byte[] {0, 0, 0, 0, 9})) {
      List<HandoverSocket> pair = HandoverSocket.pair();
      try (HandoverSocket from = pair.getFirst();
          HandoverSocket to = pair.getLast();
          OpenFile file = OpenFile.of(memory)) {
        long before = OpenFiles.like("handed over");
        from.send(bytes, List.of(file, file), NOW);

        assertThatThrownBy(() -> Handover.receive(to, NOW)).isInstanceOf(VfioException.class);

        assertThat(OpenFiles.like("handed over")).isEqualTo(before);
        assertThatThrownBy(() -> from.receive(1, 0, SOON))
            .hasMessageContaining("the other side has closed the connection");
      }
    }
  }

  /** What another process does when it takes over what this one sends. */
  private CompletableFuture<Handover> takenOver() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return Handover.receive(machine.host, other, SOON);
          } catch (VfioException e) {
            throw new CompletionException(e);
          }
        });
  }

  @Test
  void otherProcessGoesOnWithAll() throws VfioException {
    CompletableFuture<Handover> taking = takenOver();

    send(new byte[] {1}, SOON);

    try (Handover taken = taking.join()) {
      assertThat(taken.state()).containsExactly(1);
      CdevDevice device = taken.iommufd().devices().getFirst();
      assertThat(taken.interrupt(device, device.pci().msix().index(), 0)).isPresent();
      assertThat(taken.memory().getFirst().segment().byteSize()).isEqualTo(PAGE);
    }
  }

  /** Sends all, and neither of the last words. */
  private void sendAll() throws VfioException {
    List<OpenFile> files = new ArrayList<>();
    try {
      RunningIommufd running = iommufd.describe(file -> files.add(OpenFile.duplicate(file)));
      byte[] text = RunningText.write(running, 0, new byte[0]);
      byte[] message = new byte[text.length + 1];
      System.arraycopy(text, 0, message, 1, text.length);
      socket.send(message, files, SOON);
    } finally {
      for (OpenFile file : files) {
        file.close();
      }
    }
  }

  /** Or nobody would have the devices, and their DMA would end. */
  @Test
  void processThatEndsBeforeItsLastWordIsSucceeded() throws VfioException {
    CompletableFuture<Handover> taking = takenOver();
    sendAll();
    assertThat(socket.receive(1, 0, SOON).orElseThrow().bytes()).containsExactly('t');

    socket.close();

    Handover taken = taking.join();
    assertThat(taken.iommufd().devices()).hasSize(1);
    iommufd.leave();
    taken.close();
  }

  @Test
  void processThatGoesOnItselfIsNotSucceeded() throws VfioException {
    CompletableFuture<Handover> taking = takenOver();
    sendAll();
    assertThat(socket.receive(1, 0, SOON).orElseThrow().bytes()).containsExactly('t');

    socket.send(new byte[] {'n'}, List.of(), SOON);

    assertThatThrownBy(taking::join).hasMessageContaining("the other process goes on with it");
    assertGoesOn();
  }

  @Test
  void messagesWithoutEndAreRefused() throws VfioException {
    CompletableFuture<Handover> taking = takenOver();
    socket.send(new byte[] {1, 0}, List.of(), SOON);
    assertThatThrownBy(taking::join).hasMessageContaining("makes no sense");
  }

  @Test
  void socketStaysWhereNothingWasSent() throws VfioException {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Handover.receive(machine.host, other, Duration.ofNanos(-1)));
    assertThatIllegalArgumentException().isThrownBy(() -> send(new byte[0], Duration.ofNanos(-1)));
    machine.kernel.fail(Ioctl.IOMMU_IOAS_CHANGE_PROCESS, Errno.ENOMEM);
    assertThatThrownBy(() -> send(new byte[0], SOON)).isInstanceOf(VfioException.class);
    machine.kernel.failNoMore();

    socket.send(new byte[] {1}, List.of(), NOW);
    assertThat(other.receive(1, 0, NOW)).isPresent();
  }

  @Test
  void silenceIsNotTakenOver() {
    assertThatThrownBy(() -> Handover.receive(other, NOW))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the other process is silent for PT0S");
  }
}
