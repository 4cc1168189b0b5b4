package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;

class OpenHandlesTest {
  @Test
  void seesADescriptorUntilItIsClosed() throws IOException {
    OpenHandles before = OpenHandles.now();
    Path file = Files.createTempFile(Path.of("/dev/shm"), "vfio4j", "");
    try {
      try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
        assertThat(channel.isOpen()).isTrue();
        assertThat(OpenHandles.now().since(before))
            .containsExactly("descriptor of " + file + ": 0 before, 1 now");
      }
      assertThat(OpenHandles.now().since(before)).isEmpty();
    } finally {
      Files.delete(file);
    }
  }
}
