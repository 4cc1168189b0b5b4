package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("state");
  }

  private static long fill(WritableByteChannel channel) throws IOException {
    return channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
  }

  private void isAlone(byte... content) throws IOException {
    assertThat(file).hasBinaryContent(content);
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void isThereWhenItIsComplete() throws IOException {
    long bytes =
        WholeFile.of(file, false)
            .fill(
                channel -> {
                  assertThat(file).doesNotExist();
                  return fill(channel);
                });

    assertThat(bytes).isEqualTo(3);
    isAlone((byte) 1, (byte) 2, (byte) 3);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void isNotThereIfItIsNotComplete() throws IOException {
    WholeFile target = WholeFile.of(file, false);

    assertThatThrownBy(
            () ->
                target.fill(
                    channel -> {
                      fill(channel);
                      throw new IOException("disk full");
                    }))
        .hasMessage("disk full");

    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void replacesOnlyWhenForced() throws IOException {
    Files.write(file, new byte[] {9});
    assertThatThrownBy(() -> WholeFile.of(file, false))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("--force replaces it");
    WholeFile target = WholeFile.of(file, true);
    assertThatThrownBy(
            () ->
                target.fill(
                    _ -> {
                      throw new IOException("lost");
                    }))
        .hasMessage("lost");
    isAlone((byte) 9);

    target.fill(WholeFileTest::fill);

    isAlone((byte) 1, (byte) 2, (byte) 3);
  }

  @Test
  void replacesNothingThatHasComeUpMeanwhile() throws IOException {
    WholeFile target = WholeFile.of(file, false);

    assertThatThrownBy(
            () ->
                target.fill(
                    channel -> {
                      Files.write(file, new byte[] {9});
                      return fill(channel);
                    }))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("it has come up meanwhile");

    isAlone((byte) 9);
  }

  @Test
  void isWrittenWhereALinkPoints() throws IOException {
    Files.write(file, new byte[] {9});
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    WholeFile.of(link, true).fill(WholeFileTest::fill);
    Files.delete(link);
    isAlone((byte) 1, (byte) 2, (byte) 3);
  }

  @Test
  void whatIsNoFileIsRefused() {
    assertThatThrownBy(() -> WholeFile.of(directory, true)).hasMessageContaining("regular file");
    assertThatThrownBy(() -> WholeFile.of(Path.of("/dev/null"), true))
        .hasMessageContaining("regular file");
    assertThatThrownBy(() -> WholeFile.of(file.resolve("below"), false))
        .hasMessageContaining("there is no directory " + file);
    assertThatThrownBy(() -> WholeFile.read(directory)).hasMessageContaining("is a directory");
    assertThatThrownBy(() -> WholeFile.read(file)).hasMessageContaining("there is no such file");
  }

  @Test
  void aDirectoryThatTakesNoFileIsTold() {
    Path file = Path.of("/proc/state");
    assertThatThrownBy(() -> WholeFile.of(file, false).fill(WholeFileTest::fill))
        .isInstanceOf(VfioException.class)
        .hasMessageStartingWith("write on /proc/state: ");
  }
}
