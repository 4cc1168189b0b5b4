package io.github.vfio4j.linux;

import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file that lines are added to, each by one write: it is whole after a crash, and may be shared
 * with other processes. It is open as long as the process.
 */
final class TraceFile {
  private static final System.Logger LOG = System.getLogger(KernelChoice.TRACE);

  private static final String STANDARD_ERROR = "stderr";

  private final Path path;

  /** A stream, since an interrupted thread would close a channel. */
  private volatile @Nullable FileOutputStream stream;

  private TraceFile(Path path) {
    this.path = path;
  }

  /** Takes the standard error if it is called {@code stderr}, a file of that name otherwise. */
  static TraceFile of(String name) {
    if (!name.equals(STANDARD_ERROR)) {
      return append(Path.of(name));
    }
    TraceFile file = new TraceFile(Path.of(name));
    file.stream = new FileOutputStream(FileDescriptor.err);
    return file;
  }

  /** Opens the file; where that fails there is a warning and no trace. */
  static TraceFile append(Path path) {
    TraceFile file = new TraceFile(path);
    try {
      file.stream = new FileOutputStream(path.toFile(), true);
    } catch (FileNotFoundException e) {
      LOG.log(System.Logger.Level.WARNING, "Nothing is traced: {0}", e.getMessage());
    }
    return file;
  }

  /** Adds a line; the first failure is told, and ends the trace, not the caller's operation. */
  void add(String line) {
    FileOutputStream open = stream;
    if (open == null) {
      return;
    }
    try {
      open.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      stream = null;
      LOG.log(System.Logger.Level.WARNING, "The trace {0} ends here: {1}", path, e.getMessage());
    }
  }
}
