package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.MemoryInUse;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryFileTest {
  @Test
  void fileHasWhatIsInTheMemory() throws IOException {
    try (MemoryFile file = MemoryFile.create("test", 5)) {
      assertThat(file.size()).isEqualTo(4096);
      file.segment().set(JAVA_BYTE, 4095, (byte) 42);

      byte[] read = Files.readAllBytes(Path.of("/proc/self/fd/" + file.fd()));

      assertThat(read).hasSize(4096).endsWith(42);
    }
  }

  @Test
  void closedFileStaysClosedHoweverOftenItIsAsked() throws IOException {
    MemoryFile file = MemoryFile.create("test", 1);
    file.close();
    file.close();

    for (int i = 0; i < 3; i++) {
      assertThatIllegalStateException().isThrownBy(file::fd);
      assertThatIllegalStateException().isThrownBy(file.file()::acquire);
      assertThatIllegalStateException().isThrownBy(() -> file.segment().get(JAVA_BYTE, 0));
    }
  }

  @Test
  void aFileWhoseMemoryIsInUseStaysOpenAndIsClosedLater(@TempDir Path root) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    MemoryFile file = MemoryFile.create(machine.kernel, "test", MemoryInUse.SIZE);
    MemoryInUse.during(
        root,
        file.segment(),
        () -> {
          assertThatIllegalStateException().isThrownBy(file::close);
          assertThatIllegalStateException().isThrownBy(file::close);

          file.segment().set(JAVA_BYTE, 0, (byte) 1);
          Path open = Path.of("/proc/self/fd/" + file.fd());
          assertThat(Files.size(open)).isEqualTo(MemoryInUse.SIZE);
        });

    file.close();

    assertThat(machine.kernel.leftOpen()).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> file.segment().get(JAVA_BYTE, 0));
  }

  @Test
  void sizesThatAreNoneAreRefused() {
    for (long size : new long[] {0, -1, Long.MAX_VALUE}) {
      assertThatIllegalArgumentException().isThrownBy(() -> MemoryFile.create("test", size));
    }
  }

  @Test
  void hugePagesAreOfASizeThatThereIs() throws IOException {
    for (long size : new long[] {0, 4096, 3 << 20}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> MemoryFile.createHuge("test", 1, size))
          .withMessageContaining("a huge page is a power of two");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MemoryFile.createHuge("test", 0, 2 << 20));
    assertThatThrownBy(() -> MemoryFile.createHuge("test", 1L << 45, 2 << 20))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("memory file test");
  }

  @Test
  @SuppressWarnings("try") // closed early, and again
  void passedMemoryIsTheSameMemory() throws IOException {
    try (MemoryFile file = MemoryFile.create("passed", 4096);
        MemoryFile again = MemoryFile.ofFd(file.fd())) {
      file.close();
      again.segment().set(JAVA_BYTE, 1, (byte) 1);
      assertThat(again.size()).isEqualTo(4096);
    }
  }

  @Test
  void memoryThatCanBeTakenAwayIsRefused() throws IOException {
    Kernel kernel = Kernel.running();
    int unsealed = kernel.memfdCreate("unsealed", 3);
    kernel.ftruncate(unsealed, 4096);
    try {
      assertThatThrownBy(() -> MemoryFile.ofFd(unsealed))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("not sealed");
      kernel.ftruncate(unsealed, 5);
      kernel.addSeals(unsealed, 2);
      assertThatThrownBy(() -> MemoryFile.ofFd(unsealed))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("5 bytes are not whole pages");
    } finally {
      kernel.close(unsealed);
    }
    int event = kernel.eventfd(0, 0);
    try {
      assertThatThrownBy(() -> MemoryFile.ofFd(event))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("not a memory file");
    } finally {
      kernel.close(event);
    }
    assertThatThrownBy(() -> MemoryFile.ofFd(-1)).isInstanceOf(VfioException.class);
  }
}
