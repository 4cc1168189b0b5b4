package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.handover.HandoverListener;
import io.github.vfio4j.handover.HandoverSocket;
import io.github.vfio4j.handover.OpenFile;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files of devices go to a process that may open none of them. */
@OnMachine(
    value = {"intel/legacy", "smmuv3"},
    since = "7.0")
@Timeout(value = 3, unit = TimeUnit.MINUTES) // a JVM on an emulated processor
class HandoverTest extends EduTests {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void processWithoutPrivilegesDrivesDevicesThatAreGivenToIt() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path path = directory.resolve("socket");
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        HandoverListener listener = HandoverListener.listen(path)) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
      iommufd.setRlimitMode(RlimitMode.PROCESS);
      CdevDevice bound = device(Machine.EDU_2, iommufd);
      try (UnboundDevice node = UnboundDevice.open(Sysfs.host().device(Machine.EDU));
          OpenFile passedIommufd = OpenFile.of(iommufd);
          OpenFile passedNode = OpenFile.of(node);
          OpenFile passedDevice = OpenFile.of(bound);
          Child child = Child.start(Child.AS_NOBODY, ReceivingProcess.class, path.toString());
          HandoverSocket socket = listener.accept(PATIENCE).orElseThrow()) {
        assertThat(socket.peer().pid()).isEqualTo((int) child.pid());
        assertThat(socket.peer().user()).isEqualTo(65534);
        socket.send(
            new byte[] {(byte) bound.id()},
            List.of(passedIommufd, passedNode, passedDevice),
            PATIENCE);
        assertThat(socket.receive(1, 0, PATIENCE)).isPresent();
        List<String> told = child.lines();
        assertThat(told).hasSize(9);
        assertThat(told.get(0)).startsWith("open: NotPermittedException");
        assertThat(told.get(1)).isEqualTo("mode PROCESS");
        assertThat(told.get(2)).startsWith("take unbound: ").contains("bound to no iommufd yet");
        assertThat(told.get(3))
            .startsWith("take wrong number: ")
            .contains("has no device of the number");
        assertThat(told.get(4)).startsWith("bind bound: DeviceBusyException");
        assertThat(told.get(5)).isEqualTo("passed equal");
        assertThat(told.get(6)).startsWith(Machine.EDU_2 + " ").contains("is bound already");
        assertThat(told.get(7)).isEqualTo("bound equal");
        assertThat(told.get(8)).isEqualTo("find: done");
      }
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment memory = EduDma.page(arena, 3);
      ioas.map(memory, IOVA, READ_WRITE);
      bound.attach(ioas);
      try (Edu edu = Edu.start(bound)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 3))).isEqualTo(-1);
    }
  }
}
