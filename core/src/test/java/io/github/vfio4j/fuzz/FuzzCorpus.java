package io.github.vfio4j.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The inputs that a fuzzer has found worth keeping: a file for each target, with a line of
 * hexadecimal digits for each input. For {@code lab/fuzz}, whose fuzzer wants a file for each
 * input.
 */
public final class FuzzCorpus {
  private FuzzCorpus() {}

  static List<byte[]> read(Path corpus) throws IOException {
    return Files.readAllLines(corpus).stream().map(HexFormat.of()::parseHex).toList();
  }

  /**
   * Unpacks a corpus into a directory, or packs what is in it.
   *
   * @param arguments {@code unpack CORPUS DIRECTORY}, or {@code pack CORPUS DIRECTORY}
   */
  public static void main(String[] arguments) throws IOException {
    Path corpus = Path.of(arguments[1]);
    Path directory = Files.createDirectories(Path.of(arguments[2]));
    if (arguments[0].equals("unpack")) {
      int number = 0;
      for (byte[] input : Files.exists(corpus) ? read(corpus) : List.<byte[]>of()) {
        Files.write(directory.resolve("kept-" + number++), input);
      }
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      Files.write(corpus, files.map(FuzzCorpus::line).sorted().distinct().toList());
    }
  }

  private static String line(Path file) {
    try {
      return HexFormat.of().formatHex(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
