package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel was asked, told by ioctls that every Linux answers. */
class TracingKernelTest {
  private static final int O_RDWR = 2;
  private static final int PIPE_BYTES_WAITING = 0x541b;
  private static final int NO_IOCTL = 0x3b7f;
  private static final int ENOTTY = 25;

  private final Arena arena = Arena.ofAuto();

  @TempDir Path directory;
  private Path trace;
  private Kernel kernel;
  private int eventfd;

  @BeforeEach
  void open() {
    trace = directory.resolve("trace");
    kernel = KernelChoice.choose(trace.toString(), null);
    eventfd = kernel.eventfd(0, 0);
  }

  @AfterEach
  void close() {
    kernel.close(eventfd);
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(trace);
  }

  private MemorySegment structure(int room, int size) {
    MemorySegment structure = arena.allocate(room, Long.BYTES);
    structure.set(JAVA_INT, 0, size);
    structure.set(JAVA_INT, 4, 0x11223344);
    return structure;
  }

  @Test
  void plainKernelIsUsedUnlessATraceIsAskedFor() {
    assertThat(KernelChoice.choose(null, null)).isSameAs(LinuxKernel.INSTANCE);
    assertThat(Kernel.running()).isSameAs(LinuxKernel.INSTANCE);
  }

  @Test
  void refusedStructureIsWrittenDownAsLongAsItSays() throws IOException {
    int answer = kernel.ioctl(eventfd, NO_IOCTL, structure(16, 12));

    assertThat(answer).isEqualTo(-ENOTTY);
    assertThat(lines())
        .containsExactly("0x3b7f -25 0c0000004433221100000000 = anon_inode:[eventfd]");
  }

  @Test
  void structureThatSaysMoreThanThereIsEndsWithItsMemory() throws IOException {
    kernel.ioctl(eventfd, NO_IOCTL, structure(8, 100));
    kernel.ioctl(eventfd, NO_IOCTL, structure(8, -1));
    kernel.ioctl(eventfd, NO_IOCTL, arena.allocateFrom("a name"));
    kernel.ioctl(eventfd, NO_IOCTL, MemorySegment.NULL);

    assertThat(lines())
        .containsExactly(
            "0x3b7f -25 6400000044332211 = anon_inode:[eventfd]",
            "0x3b7f -25 ffffffff44332211 = anon_inode:[eventfd]",
            "0x3b7f -25 61206e616d6500 = anon_inode:[eventfd]",
            "0x3b7f -25 - = anon_inode:[eventfd]");
  }

  @Test
  void replyIsWrittenDownWhereItDiffers() throws IOException {
    Path file = Files.writeString(directory.resolve("five bytes"), "bytes");
    int fd = kernel.open(file.toString(), O_RDWR);
    MemorySegment waiting = arena.allocate(JAVA_INT);

    int answer = kernel.ioctl(fd, PIPE_BYTES_WAITING, waiting);
    kernel.close(fd);

    assertThat(answer).isZero();
    assertThat(lines()).containsExactly("0x541b 0 00000000 05000000 " + file);
  }

  @Test
  void numberIsWrittenDownAsSuch() throws IOException {
    assertThat(kernel.ioctl(eventfd, NO_IOCTL, 9)).isEqualTo(-ENOTTY);

    assertThat(lines()).containsExactly("0x3b7f -25 int:9 - anon_inode:[eventfd]");
  }

  @Test
  void callOnAFileThatIsNotOpenIsWrittenDownToo() throws IOException {
    kernel.ioctl(-1, NO_IOCTL, 0);

    assertThat(lines()).singleElement().asString().startsWith("0x3b7f -9 int:0 - ");
  }

  @Test
  void signalsAreNoMessages() {
    MemorySegment value = arena.allocateFrom(JAVA_INT, 1, 0);

    assertThat(kernel.write(eventfd, value)).isEqualTo(8);
    assertThat(kernel.read(eventfd, value)).isEqualTo(8);

    assertThat(trace).isEmptyFile();
  }

  @Test
  void processesShareATrace() throws IOException {
    Kernel other = KernelChoice.choose(trace.toString(), null);

    kernel.ioctl(eventfd, NO_IOCTL, 1);
    other.ioctl(eventfd, NO_IOCTL, 2);
    kernel.ioctl(eventfd, NO_IOCTL, 3);

    assertThat(lines())
        .map(line -> line.split(" ", -1)[2])
        .containsExactly("int:1", "int:2", "int:3");
  }

  @Test
  void operationsGoOnWithoutATraceThatCannotBeWritten() {
    Kernel untraced = KernelChoice.choose(directory.resolve("absent/trace").toString(), null);
    Kernel full = KernelChoice.choose("/dev/full", null);

    assertThat(untraced.ioctl(eventfd, NO_IOCTL, 1)).isEqualTo(-ENOTTY);
    assertThat(full.ioctl(eventfd, NO_IOCTL, 1)).isEqualTo(-ENOTTY);
    assertThat(full.ioctl(eventfd, NO_IOCTL, 1)).isEqualTo(-ENOTTY);
  }

  @Test
  void interruptedThreadDoesNotEndTheTrace() throws IOException {
    Thread.currentThread().interrupt();
    kernel.ioctl(eventfd, NO_IOCTL, 1);
    assertThat(Thread.interrupted()).isTrue();
    kernel.ioctl(eventfd, NO_IOCTL, 2);

    assertThat(lines()).hasSize(2);
  }
}
