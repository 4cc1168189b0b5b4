package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpenHandlesTest {
  private Path file;
  private OpenHandles before;

  @BeforeEach
  void makeAFileThatCounts() throws IOException {
    file = Files.createTempFile(Path.of("/dev/shm"), "vfio4j of this test", "");
    Files.write(file, new byte[1]);
    before = OpenHandles.now();
  }

  @AfterEach
  void deleteIt() throws IOException {
    Files.delete(file);
  }

  @Test
  void seesADescriptorUntilItIsClosed() throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      assertThat(channel.isOpen()).isTrue();
      assertThat(OpenHandles.now().since(before))
          .containsExactly("descriptor of " + file + ": 0 before, 1 now");
    }
    assertThat(OpenHandles.now().since(before)).isEmpty();
  }

  @Test
  void seesAMappingUntilItIsGone() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
        MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 1, arena);
        assertThat(mapped.byteSize()).isOne();
      }
      assertThat(OpenHandles.now().since(before))
          .containsExactly("mapping of " + file + ": 0 before, 1 now");
    }
    assertThat(OpenHandles.now().since(before)).isEmpty();
  }

  @Test
  void whatStandsForClosedMappingsIsOneDescriptorAndNoMore() {
    OpenHandles none = new OpenHandles(new TreeMap<>());
    String standIn = "descriptor of /memfd:closed device mapping (deleted)";

    assertThat(new OpenHandles(new TreeMap<>(Map.of(standIn, 1L))).since(none)).isEmpty();
    assertThat(new OpenHandles(new TreeMap<>(Map.of(standIn, 2L))).since(none))
        .containsExactly(standIn + ": 1 before, 2 now");
  }
}
