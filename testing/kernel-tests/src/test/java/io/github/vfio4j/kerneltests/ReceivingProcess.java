package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.handover.HandoverSocket;
import io.github.vfio4j.handover.Message;
import io.github.vfio4j.handover.OpenFile;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Drives devices by files that it receives, of which it may open none itself. */
final class ReceivingProcess {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long IOVA = 0x10000;

  private ReceivingProcess() {}

  public static void main(String[] arguments) throws IOException {
    attempt("open", () -> Iommufd.open().close());
    try (HandoverSocket socket = HandoverSocket.connect(Path.of(arguments[0]), PATIENCE);
        Message message = socket.receive(100, 3, PATIENCE).orElseThrow()) {
      List<OpenFile> files = message.files();
      int boundId = message.bytes()[0];
      try (Iommufd iommufd = Iommufd.ofFd(files.get(0).fd())) {
        System.out.println("mode " + iommufd.rlimitMode());
        Ioas ioas = iommufd.allocateIoas();
        attempt("take unbound", () -> iommufd.takeBound(files.get(1).fd(), boundId));
        attempt("take wrong number", () -> iommufd.takeBound(files.get(2).fd(), ioas.id()));
        attempt("bind bound", () -> iommufd.bindPassed(files.get(2).fd()));
        drive("passed", ioas, iommufd.bindPassed(files.get(1).fd()));
        CdevDevice bound = iommufd.takeBound(files.get(2).fd(), boundId);
        System.out.println(bound.name() + " " + bound.choice().reason());
        drive("bound", ioas, bound);
        bound.close();
      }
      socket.send(new byte[] {1}, List.of(), PATIENCE);
    }
    attempt("find", () -> Sysfs.host().device(Machine.EDU));
  }

  private static void drive(String what, Ioas ioas, CdevDevice device) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = EduDma.pages(arena, 2);
      EduDma.fill(memory.asSlice(0, EduDma.PAGE), 5);
      ioas.map(memory, IOVA, READ_WRITE);
      device.attach(ioas);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + EduDma.PAGE);
      }
      MemorySegment first = memory.asSlice(0, EduDma.PAGE);
      System.out.println(
          what + (first.mismatch(memory.asSlice(EduDma.PAGE)) == -1 ? " equal" : " differs"));
      ioas.unmap(IOVA, memory.byteSize());
    }
  }

  private interface Attempt {
    void run() throws VfioException;
  }

  private static void attempt(String what, Attempt attempt) {
    String result = "done";
    try {
      attempt.run();
    } catch (VfioException e) {
      result = e.getClass().getSimpleName() + ": " + e.getMessage();
    }
    System.out.println(what + ": " + result);
  }
}
