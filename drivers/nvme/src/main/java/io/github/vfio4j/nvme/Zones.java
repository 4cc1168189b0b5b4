package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;

/**
 * The zones of a namespace, for those who want convenience rather than speed: each call waits for
 * the controller, through a queue pair of its own.
 *
 * <p>A command that takes longer than half a minute is aborted, by a reset of the controller if
 * need be, and fails. Methods may be called from any thread, and take turns; once this is closed,
 * they throw {@link IllegalStateException}.
 */
public final class Zones implements AutoCloseable {
  private static final int MOST_ZONES = 1 << 20;

  private final ZonedNamespace namespace;
  private final LoneCommands commands;
  private final DmaBuffer buffer;
  private final DmaSlice report;

  /** Takes over a queue pair and a buffer. */
  Zones(ZonedNamespace namespace, QueuePair queues, DmaBuffer buffer) {
    this.namespace = namespace;
    this.commands = new LoneCommands(queues);
    this.buffer = buffer;
    this.report = buffer.slice(0, Rings.PAGE);
  }

  /**
   * Returns whose zones they are.
   *
   * @return the namespace
   */
  public ZonedNamespace namespace() {
    return namespace;
  }

  /**
   * Asks for all zones.
   *
   * @return as they are now, in their order
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer, or tells of zones that cannot be
   */
  public synchronized List<Zone> report() throws VfioException {
    List<Zone> zones = new ArrayList<>();
    for (long next = 0; namespace.isStart(next); ) {
      List<Zone> part = reportFrom(next);
      if (part.isEmpty()) {
        return zones;
      }
      if (part.getFirst().start() < next) {
        throw new VfioException(
            "report zones",
            toString(),
            null,
            "the controller tells of zones that it was not asked");
      }
      zones.addAll(part);
      if (zones.size() > MOST_ZONES) {
        throw new VfioException(
            "report zones", toString(), null, "the controller tells of more than " + MOST_ZONES);
      }
      next = part.getLast().start() + namespace.zoneBlocks();
    }
    return zones;
  }

  /**
   * Asks for one zone.
   *
   * @param block its first block
   * @return as it is now
   * @throws IndexOutOfBoundsException if no zone starts there
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer, or tells of another zone
   */
  public synchronized Zone zone(long block) throws VfioException {
    QueuePair.requireStart(namespace, block);
    List<Zone> zones = reportFrom(block);
    if (zones.isEmpty() || zones.getFirst().start() != block) {
      throw new VfioException(
          "report zones", toString(), null, "the controller does not tell of that at " + block);
    }
    return zones.getFirst();
  }

  private List<Zone> reportFrom(long block) throws VfioException {
    QueuePair queues = commands.settled();
    report.setLong(0, 0);
    queues.report(namespace, block, report, 0);
    commands.finish("report zones", this);
    return Zone.of(namespace, report);
  }

  /**
   * Does something with one zone.
   *
   * @param action what
   * @param block the first block of the zone
   * @throws IndexOutOfBoundsException if no zone starts there
   * @throws NvmeException if the controller refuses, for example because too many are open
   * @throws VfioException if it does not answer
   */
  public synchronized void manage(ZoneAction action, long block) throws VfioException {
    commands.settled().manage(namespace, action, block, 0);
    commands.finish(action.toString(), this);
  }

  /**
   * Does something with all zones for which it makes sense: opens those that are closed, closes
   * those that are open, finishes those that are open or closed, or resets those as well as full
   * ones.
   *
   * @param action what
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public synchronized void manageAll(ZoneAction action) throws VfioException {
    commands.settled().manageAll(namespace, action, 0);
    commands.finish(action + " all", this);
  }

  /** Gives the queue pair and the buffer back; the zones stay as they are. */
  @Override
  public synchronized void close() throws VfioException {
    commands.close();
    buffer.close();
  }

  /** Returns of which namespace of which controller they are. */
  @Override
  public String toString() {
    return "zones of namespace " + namespace.namespace().id() + ", by " + commands;
  }
}
