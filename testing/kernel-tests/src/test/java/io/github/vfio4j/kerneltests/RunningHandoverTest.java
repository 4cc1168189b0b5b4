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
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices go on while another process takes them over, and the first one ends. */
@OnMachine(
    value = {"intel/legacy", "smmuv3"},
    since = "7.0")
@Timeout(value = 3, unit = TimeUnit.MINUTES) // a JVM on an emulated processor
class RunningHandoverTest extends EduTests {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void devicesGoOnInAnotherProcess() throws IOException {
    Path path = directory.resolve("socket");
    try (HandoverListener listener = HandoverListener.listen(path);
        Child child = Child.start(List.of(), PredecessorProcess.class, path.toString())) {
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
        assertThat(child.lines())
            .satisfiesExactly(
                line -> assertThat(line).contains("0x1000 bytes at 0x100000 of IOAS"),
                line -> assertThat(line).contains("the other side has closed the connection"),
                line -> assertThat(line).isEqualTo("both go on, locked " + 4 * PAGE),
                line -> assertThat(line).isEqualTo("/dev/iommu is closed"),
                line -> assertThat(line).isEqualTo("handed over, locked 0"));
        assertThat(LockedMemory.bytes()).isEqualTo(4 * PAGE);
        goesOn(taken);
      }
    }
    assertThat(LockedMemory.bytes()).isZero();
  }

  private static void goesOn(Handover taken) throws IOException {
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
    other.end(3);
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
