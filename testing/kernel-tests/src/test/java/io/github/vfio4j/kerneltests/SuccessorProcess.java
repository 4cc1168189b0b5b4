package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static io.github.vfio4j.kerneltests.PredecessorProcess.IOVA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.handover.Handover;
import io.github.vfio4j.handover.HandoverListener;
import io.github.vfio4j.handover.HandoverSocket;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.MemoryFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Takes over what the {@link PredecessorProcess} drives, and goes on with it when that has ended.
 */
final class SuccessorProcess {
  private static final Duration PATIENCE = Duration.ofMinutes(4);

  private SuccessorProcess() {}

  public static void main(String[] arguments) throws IOException {
    try (HandoverListener listener = HandoverListener.listen(Path.of(arguments[0]))) {
      System.out.println("listens");
      try (HandoverSocket refused = listener.accept(PATIENCE).orElseThrow()) {
        assertThatThrownBy(() -> Handover.receive(refused, PATIENCE))
            .hasMessageContaining("the other side has closed the connection");
      }
      try (HandoverSocket silent = listener.accept(PATIENCE).orElseThrow()) {
        int most = HandoverSocket.MOST_BYTES;
        silent.receive(most, HandoverSocket.MOST_FILES, PATIENCE).orElseThrow().close();
      }
      try (HandoverSocket socket = listener.accept(PATIENCE).orElseThrow();
          Handover taken = Handover.receive(socket, PATIENCE)) {
        System.out.println("taken over, locked " + LockedMemory.bytes());
        ProcessHandle.of(socket.peer().pid()).ifPresent(other -> other.onExit().join());
        goOn(taken);
      }
      System.out.println("closed, locked " + LockedMemory.bytes());
    }
  }

  private static void goOn(Handover taken) throws IOException {
    assertThat(taken.state()).isEqualTo(PredecessorProcess.STATE);
    Ioas ioas = taken.iommufd().addressSpaces().getFirst();
    MemoryFile memory = taken.memory().getFirst();
    List<CdevDevice> devices = taken.iommufd().devices();
    assertThat(devices)
        .extracting(CdevDevice::name)
        .containsExactly(Machine.EDU.toString(), Machine.EDU_2.toString());
    CdevDevice first = devices.getFirst();
    CdevDevice second = devices.getLast();
    assertThat(first.attached()).contains(ioas);
    assertThat(first.hwptId()).isPresent();
    HwptPaging table = (HwptPaging) second.attached().orElseThrow();
    assertThat(table.ioas()).isSameAs(ioas);
    assertThat(second.hwptId()).hasValue(table.id());

    EduLoop one = loop(taken, first, memory, 0);
    EduLoop other = loop(taken, second, memory, 2);
    one.end(3);
    System.out.println("interrupts " + other.takeInterrupts());
    for (int round = 4; round < 7; round++) {
      one.round(round);
      other.round(round);
    }

    assertThatThrownBy(() -> ioas.mapFile(memory, 0, IOVA + PAGE, PAGE, READ_WRITE))
        .isInstanceOf(IovaInUseException.class);
    ioas.unmap(IOVA, 4 * PAGE);
    ioas.mapFile(memory, 0, IOVA, 4 * PAGE, READ_WRITE);
    one.round(7);
    second.attach(ioas);
    table.close();
    other.round(7);
    first.pci().msi().disable();
    first.pci().msi().enable(0).close();
    System.out.println("both go on");
  }

  private static EduLoop loop(Handover taken, CdevDevice device, MemoryFile memory, int page)
      throws IOException {
    Interrupt interrupt = taken.interrupt(device, device.pci().msi().index(), 0).orElseThrow();
    assertThat(taken.interrupt(device, device.pci().msi().index(), 1)).isEmpty();
    long offset = (long) page * PAGE;
    return new EduLoop(
        device, interrupt, memory.segment().asSlice(offset, 2 * PAGE), IOVA + offset);
  }
}
