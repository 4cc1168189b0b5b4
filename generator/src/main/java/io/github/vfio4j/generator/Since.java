package io.github.vfio4j.generator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The first kernel that had a name. A table has one kernel a line, then the names that came with
 * it; a line that starts with a blank continues the one before; what follows {@code #} is a
 * comment.
 */
final class Since {
  private final Map<String, String> kernels;
  private final Set<String> unused;

  private Since(Map<String, String> kernels) {
    this.kernels = kernels;
    this.unused = new TreeSet<>(kernels.keySet());
  }

  /** The table among this package's resources. */
  static Since table() {
    try (InputStream stream = Since.class.getResourceAsStream("since.txt")) {
      if (stream == null) {
        throw new IllegalStateException("no table since.txt");
      }
      return of(new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Since of(List<String> lines) {
    Map<String, String> kernels = new HashMap<>();
    String kernel = "";
    for (String line : lines) {
      String content = line.replaceFirst("#.*", "").stripTrailing();
      boolean continued = content.startsWith(" ");
      for (String word : content.isBlank() ? new String[0] : content.strip().split(" +")) {
        if (!continued) {
          kernel = word;
          continued = true;
        } else if (kernels.put(word, kernel) != null) {
          throw new IllegalArgumentException(word + " is in the table twice");
        }
      }
    }
    return new Since(Map.copyOf(kernels));
  }

  /** The end of a sentence that tells the first kernel, or nothing where it is not known. */
  String clause(String name) {
    String kernel = kernels.get(name);
    unused.remove(name);
    return kernel == null ? "" : ", since Linux " + kernel;
  }

  /** The names of the table that nothing has asked for: they are misspelt, or have gone. */
  Set<String> unused() {
    return unused;
  }
}
