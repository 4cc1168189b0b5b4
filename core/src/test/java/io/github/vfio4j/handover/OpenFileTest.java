package io.github.vfio4j.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.pci.IoEventFd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An eventfd that is handed over is the one that its owner signals, and lives for itself. */
@SuppressWarnings("try") // closed early
class OpenFileTest {
  @TempDir Path root;

  private static void assertSignalled(OpenFile file) throws IOException {
    OpenFiles.assertClosedOnExec(file.fd());
    assertThat(Files.readAllLines(Path.of("/proc/self/fdinfo/" + file.fd())))
        .anyMatch(line -> line.matches("eventfd-count: +1"));
  }

  @Test
  void doorbellMayBeRungByAnother() throws IOException {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        IoEventFd doorbell = IoEventFd.ofInt(device, 0, 8, 1);
        OpenFile file = OpenFile.of(doorbell)) {
      doorbell.signal();

      assertSignalled(file);
      doorbell.close();
      assertThat(file.fd()).isPositive();
      assertThatIllegalStateException().isThrownBy(() -> OpenFile.of(doorbell));
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void anotherMayUnmaskAnInterrupt() throws IOException {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Interrupt line = device.pci().intx().enable(0);
        Interrupt.Resample resample = line.resample();
        OpenFile file = OpenFile.of(resample)) {
      resample.signal();

      assertSignalled(file);
      resample.close();
      assertThat(file.fd()).isPositive();
      assertThatIllegalStateException().isThrownBy(() -> OpenFile.of(resample));
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void whatIsNotOfThisLibraryIsRefused() {
    Interrupt.Resample foreign =
        new Interrupt.Resample() {
          @Override
          public void signal() {}

          @Override
          public void close() {}
        };

    assertThatIllegalArgumentException().isThrownBy(() -> OpenFile.of(foreign));
  }
}
