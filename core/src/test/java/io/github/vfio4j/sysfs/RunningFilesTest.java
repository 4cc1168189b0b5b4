package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Errors are told by numbers, which are the same in every language. */
class RunningFilesTest {
  @TempDir Path directory;
  private final KernelFiles files = KernelFiles.HOST;

  private static long answer(Errno errno) {
    return -errno.number();
  }

  @Test
  void aWriteIsAnsweredByTheKernelsNumber() throws IOException {
    Path file = Files.createFile(directory.resolve("unbind"));

    assertThat(files.write(file, "0000:00:05.0")).isEqualTo(12);
    assertThat(file).hasContent("0000:00:05.0");
    assertThat(files.write(directory.resolve("nothing"), "1")).isEqualTo(answer(Errno.ENOENT));
    assertThat(files.write(directory, "1")).isEqualTo(answer(new Errno(21)));
    assertThat(files.write(Path.of("/dev/full"), "1")).isEqualTo(answer(Errno.ENOSPC));
  }

  @Test
  void aRefusalIsToldByItsNumberAlone() {
    assertThat(FileFailure.writing("unbind", "it", Errno.ENODEV, false))
        .isInstanceOf(NoSuchDeviceException.class);
    assertThat(FileFailure.writing("unbind", "it", Errno.EACCES, false))
        .isInstanceOf(NotPermittedException.class)
        .hasMessageContaining("only root");
    assertThat(FileFailure.writing("unbind", "it", Errno.EIO, false).errno()).contains(Errno.EIO);
  }

  @Test
  void rootIsNotToldToBecomeRoot() {
    assertThat(FileFailure.writing("unbind", "it", Errno.EPERM, true))
        .isInstanceOf(NotPermittedException.class)
        .hasMessageContaining("not even root");
  }

  @Test
  void wordsOfAnyLanguageArePassedOnAndTellNothing() {
    VfioException failure =
        FileFailure.reading("read class", "it", new IOException("Kein passendes Gerät gefunden"));

    assertThat(failure).isExactlyInstanceOf(VfioException.class);
    assertThat(failure.errno()).isEmpty();
    assertThat(failure).hasMessageEndingWith("Kein passendes Gerät gefunden");
  }

  @Test
  void whatHasGoneIsGoneWhateverTheWords() throws IOException {
    Path file = Files.createFile(directory.resolve("device"));
    Files.createDirectories(directory.resolve("there/class"));

    assertThat(new Directory(file, "it").find("class")).isEmpty();
    assertThatThrownBy(() -> new Directory(file, "it").hex("class"))
        .isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> new Directory(directory.resolve("there"), "it").find("class"))
        .isExactlyInstanceOf(VfioException.class)
        .satisfies(e -> assertThat(((VfioException) e).errno()).isEmpty());
  }

  @Test
  void bytesThatAreNoTextAreReplaced() throws IOException {
    Files.write(directory.resolve("comm"), new byte[] {'q', (byte) 0xc3, '\n'});

    assertThat(new Directory(directory, "it").find("comm")).contains("q\ufffd");
  }
}
