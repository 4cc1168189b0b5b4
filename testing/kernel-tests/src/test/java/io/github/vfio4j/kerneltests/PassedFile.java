package io.github.vfio4j.kerneltests;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** An open file and its number, as another process would pass it. */
record PassedFile(RandomAccessFile file, int number) implements AutoCloseable {
  static PassedFile open(Path path) throws IOException {
    Set<Integer> before = numbers(path);
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    Set<Integer> fresh = numbers(path);
    fresh.removeAll(before);
    return new PassedFile(file, fresh.iterator().next());
  }

  private static Set<Integer> numbers(Path path) throws IOException {
    var numbers = new HashSet<Integer>();
    try (var links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path link : links) {
        try {
          if (Files.readSymbolicLink(link).equals(path)) {
            numbers.add(Integer.valueOf(link.getFileName().toString()));
          }
        } catch (NoSuchFileException e) {
          // closed since the directory was read, as the directory's own one is
        }
      }
    }
    return numbers;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
