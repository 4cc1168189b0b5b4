package io.github.vfio4j.kerneltests;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The monitor of the emulated machine that this runs in: what is done to its hardware. */
final class Monitor implements AutoCloseable {
  private static final Path PORTS = Path.of("/sys/class/virtio-ports");
  private static final Pattern TEXT = Pattern.compile("\"return\": \"(.*?)(?<!\\\\)\"");

  private final FileChannel port;
  private final BufferedReader replies;

  private Monitor(FileChannel port) {
    this.port = port;
    this.replies = new BufferedReader(new InputStreamReader(Channels.newInputStream(port), UTF_8));
  }

  /** Opens it; one at a time has it. */
  static Monitor open() throws IOException {
    Monitor monitor =
        new Monitor(FileChannel.open(port(), StandardOpenOption.READ, StandardOpenOption.WRITE));
    monitor.ask("{\"execute\": \"qmp_capabilities\", \"id\": 1}"); // an error the second time
    return monitor;
  }

  private static Path port() throws IOException {
    try (Stream<Path> ports = Files.list(PORTS)) {
      for (Path port : ports.toList()) {
        Path name = port.resolve("name"); // which not every port has
        if (Files.exists(name) && Files.readString(name).strip().equals("monitor")) {
          return Path.of("/dev").resolve(port.getFileName().toString());
        }
      }
    }
    throw new AssertionError("the machine runs without lab/run --monitor");
  }

  /** Gives a command as a person would, and returns what that would be shown. */
  String run(String command) throws IOException {
    String reply =
        ask(
            "{\"execute\": \"human-monitor-command\", \"id\": 1, "
                + "\"arguments\": {\"command-line\": \"%s\"}}".formatted(command));
    Matcher text = TEXT.matcher(reply);
    if (!text.find()) {
      throw new AssertionError(command + ": " + reply);
    }
    return text.group(1);
  }

  /**
   * Waits until the machine is done with a device that it was told to delete. It is a while after
   * Linux has let the device go, and until then nothing else can have its name.
   */
  void awaitDeletion(String device) throws IOException {
    String deleted = "\"device\": \"" + device + "\"";
    skipTo(line -> line.contains("\"event\": \"DEVICE_DELETED\"") && line.contains(deleted));
  }

  /** Asks, and skips what the machine tells of itself before the answer. */
  private String ask(String question) throws IOException {
    ByteBuffer bytes = UTF_8.encode(question + "\n");
    while (bytes.hasRemaining()) {
      port.write(bytes);
    }
    return skipTo(line -> line.contains("\"id\": 1"));
  }

  private String skipTo(Predicate<String> wanted) throws IOException {
    while (true) {
      String line = replies.readLine();
      if (line == null) {
        throw new AssertionError("the monitor has ended");
      }
      if (wanted.test(line)) {
        return line;
      }
    }
  }

  @Override
  public void close() throws IOException {
    port.close();
  }
}
