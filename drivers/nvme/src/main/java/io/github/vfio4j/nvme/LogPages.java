package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.AdminQueue.Command;
import java.util.ArrayList;
import java.util.List;

/**
 * The logs of a controller. Reading one lets the controller tell of the {@linkplain AsyncEvent
 * events} again that belong to it. Methods may be called from any thread.
 */
public final class LogPages {
  private static final int CHANGED_NAMESPACES = 4;
  private static final int RETAIN_EVENT = 1 << 15;
  private static final int ALL = -1;

  private final NvmeController controller;

  LogPages(NvmeController controller) {
    this.controller = controller;
  }

  /**
   * Reads a log, or a part of one, whatever it is.
   *
   * @param id its number
   * @param namespace whose, or -1 for the controller's
   * @param offset where to begin, in bytes, a multiple of 4
   * @param size how many bytes, a multiple of 4
   * @return the bytes
   * @throws IllegalArgumentException if the number is not from 0 to 255, the offset is negative,
   *     the size is not positive, or one of them is no multiple of 4
   * @throws NvmeException if the controller refuses, for example a log that it does not have
   * @throws VfioException if it reads logs only from the start and up to 4096 bytes and is asked
   *     for others, or if it does not answer
   */
  public byte[] read(int id, int namespace, long offset, int size) throws VfioException {
    if (id < 0 || id > 0xff || offset < 0 || size <= 0 || (offset & 3) != 0 || (size & 3) != 0) {
      throw new IllegalArgumentException(
          "%d bytes from byte %d on of log %d".formatted(size, offset, id));
    }
    if ((offset != 0 || size > Rings.PAGE) && !controller.abilities().readsPartsOfLogs()) {
      throw controller.abilities().lacking("Get Log Page", "the reading of parts of logs");
    }
    byte[] log = new byte[size];
    for (int done = 0; done < size; done += Rings.PAGE) {
      int part = Math.min(Rings.PAGE, size - done);
      boolean last = done + part == size;
      byte[] page = controller.admins().ask(command(id, namespace, offset + done, part, last));
      System.arraycopy(page, 0, log, done, part);
    }
    return log;
  }

  private static Command command(int id, int namespace, long offset, int size, boolean last) {
    int words = size / Integer.BYTES - 1;
    int retain = last ? 0 : RETAIN_EVENT;
    return new Command(
        "Get Log Page",
        Opcode.GET_LOG_PAGE,
        namespace,
        words << 16 | retain | id,
        0,
        (int) offset,
        (int) (offset >>> 32),
        0,
        0);
  }

  /**
   * Reads which commands have failed.
   *
   * @return as many as the controller remembers, the last one first
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public List<ErrorEntry> errors() throws VfioException {
    int most = controller.abilities().errors();
    if (!controller.abilities().readsPartsOfLogs()) {
      most = Math.min(most, Rings.PAGE / ErrorEntry.SIZE);
    }
    Fields log = new Fields(read(ErrorEntry.LOG, ALL, 0, most * ErrorEntry.SIZE));
    List<ErrorEntry> entries = new ArrayList<>();
    for (int at = 0; at < most * ErrorEntry.SIZE; at += ErrorEntry.SIZE) {
      if (log.longAt(at) != 0) {
        entries.add(ErrorEntry.parse(log, at));
      }
    }
    return entries;
  }

  /**
   * Reads which firmware there is.
   *
   * @return what is in the slots
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public FirmwareLog firmware() throws VfioException {
    return FirmwareLog.parse(new Fields(read(FirmwareLog.LOG, ALL, 0, FirmwareLog.SIZE)));
  }

  /**
   * Reads which namespaces have changed since this was read last: were attached, detached or
   * formatted.
   *
   * @return their numbers; where there are too many for the log, those of all that are there
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public List<Integer> changedNamespaces() throws VfioException {
    Fields log = new Fields(read(CHANGED_NAMESPACES, ALL, 0, Rings.PAGE));
    return log.intAt(0) == ALL ? controller.namespaceIds() : log.idsAt(0, Rings.PAGE);
  }
}
