package io.github.vfio4j.mock;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** A dma-buf whose memory can be taken away, as that of a device's registers can. */
public final class MockDmabuf implements AutoCloseable {
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  private final Mock mock;
  private final int descriptor;

  private MockDmabuf(Mock mock, int descriptor) {
    this.mock = mock;
    this.descriptor = descriptor;
  }

  /**
   * Makes a dma-buf.
   *
   * @param mock where
   * @param size bytes, whole pages
   * @return the dma-buf; the caller closes it
   * @throws IOException if the kernel refuses
   */
  public static MockDmabuf create(Mock mock, long size) throws IOException {
    Set<Integer> before = numbers();
    new MockCommand(MockOperation.DMABUF_GET)
        .with(0, (int) size)
        .with(4, O_RDWR | O_CLOEXEC)
        .run(mock);
    // Linux 7.3 opens it and does not tell the number
    Set<Integer> fresh = numbers();
    fresh.removeAll(before);
    return new MockDmabuf(mock, fresh.iterator().next());
  }

  private static Set<Integer> numbers() throws IOException {
    Set<Integer> numbers = new TreeSet<>();
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path link : links) {
        try {
          if (Files.readSymbolicLink(link).toString().contains("dmabuf")) {
            numbers.add(Integer.valueOf(link.getFileName().toString()));
          }
        } catch (NoSuchFileException e) {
          // closed since the directory was read, as the directory's own one is
        }
      }
    }
    return numbers;
  }

  /**
   * Returns the number of the open file.
   *
   * @return the descriptor, which is this object's
   */
  public int descriptor() {
    return descriptor;
  }

  /**
   * Takes the memory away from whoever has it mapped, for good.
   *
   * @throws VfioException if the kernel refuses
   */
  public void revoke() throws VfioException {
    revoke(1);
  }

  /**
   * Lets the memory be mapped anew.
   *
   * @throws VfioException if the kernel refuses
   */
  public void restore() throws VfioException {
    revoke(0);
  }

  private void revoke(int revoked) throws VfioException {
    new MockCommand(MockOperation.DMABUF_REVOKE).with(0, descriptor).with(4, revoked).run(mock);
  }

  /**
   * Closes the file; what is mapped stays.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    int answer = Kernel.running().close(descriptor);
    if (answer < 0) {
      throw new VfioException("close", "mock dma-buf", new Errno(-answer), "");
    }
  }
}
