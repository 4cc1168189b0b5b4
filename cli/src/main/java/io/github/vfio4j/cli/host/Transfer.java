package io.github.vfio4j.cli.host;

import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Size;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** Tells of a transfer: a person now and then while it lasts, and everybody at its end. */
public final class Transfer implements LongConsumer {
  private static final long SECOND = 1_000_000_000;

  private final CommandHost host;
  private final String done;
  private final long start = System.nanoTime();
  private long told = start;

  /**
   * Begins now.
   *
   * @param done what has been done to bytes: saved or restored
   */
  public Transfer(CommandHost host, String done) {
    this.host = host;
    this.done = done;
  }

  /** Is told how many bytes were carried so far. */
  @Override
  public void accept(long bytes) {
    long now = System.nanoTime();
    if (now - told >= SECOND) {
      told = now;
      host.hints().println("vfio4j: %s %s".formatted(done, amount(bytes, now - start)));
      host.hints().flush();
    }
  }

  /** Tells what came of it. */
  public void end(String device, long bytes, Path file, boolean json) {
    long nanos = System.nanoTime() - start;
    if (json) {
      Json.object()
          .with("device", device)
          .with("file", file.toString())
          .with("bytes", bytes)
          .with("seconds", nanos / (double) SECOND)
          .print(host.out());
    } else {
      host.out().println("%s  %s %s, %s".formatted(device, done, amount(bytes, nanos), file));
    }
  }

  private static String amount(long bytes, long nanos) {
    double seconds = Math.max(1, nanos) / (double) SECOND;
    return "%s in %.1f s (%s/s)"
        .formatted(Size.of(bytes), seconds, Size.of(Math.round(bytes / seconds)));
  }
}
