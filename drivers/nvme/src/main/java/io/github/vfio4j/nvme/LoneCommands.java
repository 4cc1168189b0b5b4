package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import java.time.Duration;

/** Commands that go through a queue pair of their own one by one, each of which is waited for. */
final class LoneCommands implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final QueuePair queues;
  private int status;

  /** Takes over a queue pair. */
  LoneCommands(QueuePair queues) {
    this.queues = queues;
  }

  /**
   * Waits for what a call that failed may have left in the queue: its end is not that of the next
   * one, and the memory that it moves is its until then.
   *
   * @return the pair, which is empty
   */
  QueuePair settled() throws VfioException {
    queues.drain((_, _) -> {}, PATIENCE);
    return queues;
  }

  /** Waits for the command that was put into the queue, and throws unless it was successful. */
  void finish(String operation, Object object) throws VfioException {
    queues.drain((_, ended) -> status = ended, PATIENCE);
    if (!new NvmeStatus(status).isSuccess()) {
      throw new NvmeException(operation, object.toString(), status);
    }
  }

  /** Gives the pair back; the controller may write to what its commands move until this returns. */
  @Override
  public void close() throws VfioException {
    queues.close();
  }

  @Override
  public String toString() {
    return queues.toString();
  }
}
