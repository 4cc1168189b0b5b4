package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.handover.Handover;
import io.github.vfio4j.handover.HandoverSocket;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Drives two devices, hands them over while they are at work, and ends. */
final class PredecessorProcess {
  static final long IOVA = 0x10000;
  static final byte[] STATE = {3, 1, 4};

  private static final Duration PATIENCE = Duration.ofMinutes(4);

  private PredecessorProcess() {}

  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[0]);
    Iommufd iommufd = Iommufd.open();
    Ioas ioas = iommufd.allocateIoas();
    MemoryFile memory = MemoryFile.create("memory of the devices", 4 * PAGE);
    ioas.mapFile(memory, 0, IOVA, 4 * PAGE, READ_WRITE);
    CdevDevice first = EduTests.device(Machine.EDU, iommufd);
    first.attach(ioas);
    CdevDevice second = EduTests.device(Machine.EDU_2, iommufd);
    second.attach(ioas.allocateHwpt(second));
    EduLoop one = loop(first, memory, 0);
    EduLoop other = loop(second, memory, 2);
    one.round(1);
    other.round(1);

    try (Arena arena = Arena.ofConfined()) {
      ioas.map(EduDma.pages(arena, 1), 0x100000, READ_WRITE);
      attempt(path, iommufd, memory);
      ioas.unmap(0x100000, PAGE);
    }
    attempt(path, iommufd, memory);
    one.round(2);
    other.round(2);
    System.out.println("both go on, locked " + LockedMemory.bytes());

    CompletableFuture<Integer> begun;
    try (HandoverSocket socket = HandoverSocket.connect(path, PATIENCE)) {
      one.begin(3);
      begun = CompletableFuture.supplyAsync(other::keepAtWork);
      Handover.send(socket, iommufd, List.of(memory), STATE, PATIENCE);
    }
    try {
      iommufd.allocateIoas();
    } catch (IllegalStateException e) {
      System.out.println(e.getMessage());
    }
    System.out.println("begun " + begun.join());
    memory.close();
    System.out.println("handed over, locked " + LockedMemory.bytes());
  }

  private static EduLoop loop(CdevDevice device, MemoryFile memory, int page) throws VfioException {
    Interrupt interrupt = device.pci().msi().enable(0);
    device.pci().config().setBusMaster(true);
    long offset = (long) page * PAGE;
    return new EduLoop(
        device, interrupt, memory.segment().asSlice(offset, 2 * PAGE), IOVA + offset);
  }

  private static void attempt(Path path, Iommufd iommufd, MemoryFile memory) throws VfioException {
    try (HandoverSocket socket = HandoverSocket.connect(path, PATIENCE)) {
      Handover.send(socket, iommufd, List.of(memory), STATE, PATIENCE);
      System.out.println("handed over");
    } catch (VfioException e) {
      System.out.println(e.getMessage());
    }
  }
}
