package io.github.vfio4j.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The queue of commands to the controller itself: one at a time, each waited for. Thread-safe. */
final class AdminQueue implements AutoCloseable {
  static final int ENTRIES = 32;

  private static final int SPINS = 1000;
  private static final long PAUSE_NANOS = 20_000;

  /** What a command asks. */
  record Command(String name, int opcode, int namespace, int word10, int word11) {
    Command(String name, int opcode, int namespace) {
      this(name, opcode, namespace, 0, 0);
    }
  }

  private final String device;
  private final Rings rings;
  private final DmaBuffer page;
  private final Duration patience;

  AdminQueue(
      String device,
      MappedRegion registers,
      IoAddressSpace space,
      int doorbellStride,
      Duration patience)
      throws VfioException {
    this.device = device;
    this.patience = patience;
    this.rings = new Rings(registers, space, 0, ENTRIES, doorbellStride);
    try {
      this.page = space.allocate(Math.max(Rings.PAGE, space.granule()));
    } catch (Throwable e) {
      try (rings) {
        throw e;
      }
    }
  }

  Rings rings() {
    return rings;
  }

  /** Forgets all commands. */
  synchronized void clear() {
    rings.clear();
  }

  /**
   * Has the controller fill a page, and hands out what it has written.
   *
   * @return a copy on the heap, which nobody else has
   */
  synchronized byte[] ask(Command command) throws VfioException {
    page.segment().asSlice(0, Rings.PAGE).fill((byte) 0);
    issue(command, page.slice(0, Rings.PAGE));
    return page.segment().asSlice(0, Rings.PAGE).toArray(JAVA_BYTE);
  }

  /** Has the controller do something without data, and returns the first word of its answer. */
  synchronized int tell(Command command) throws VfioException {
    return issue(command, null);
  }

  /** Tells the controller of a queue at an IOVA. */
  synchronized void tell(Command command, long iova) throws VfioException {
    int slot = begin(command);
    rings.data(slot, iova, Long.BYTES);
    finish(command, slot);
  }

  private int issue(Command command, @Nullable DmaSlice data) throws VfioException {
    int slot = begin(command);
    if (data != null) {
      rings.data(slot, data.iova(), data.size());
    }
    return finish(command, slot);
  }

  private int begin(Command command) throws VfioException {
    int slot = rings.begin(command.opcode, command.namespace);
    if (slot < 0) {
      throw new VfioException(
          command.name, device, null, "earlier commands were never answered; reset the controller");
    }
    return slot;
  }

  private int finish(Command command, int slot) throws VfioException {
    rings.words(10, command.word10, command.word11);
    rings.end();
    rings.ring();
    long deadline = System.nanoTime() + patience.toNanos();
    for (int looks = 0; ; looks++) {
      int taken = rings.take();
      if (taken != -1) {
        rings.acknowledge();
      }
      if (taken == slot) {
        int status = rings.status();
        if (!new NvmeStatus(status).isSuccess()) {
          throw new NvmeException(command.name, device, status);
        }
        return rings.result();
      }
      if (taken == -1 && looks > SPINS) {
        if (System.nanoTime() - deadline > 0) {
          throw new DeviceTimeoutException(
              command.name, device, null, "no answer within " + patience.toMillis() + " ms");
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  @Override
  public void close() throws VfioException {
    try (rings;
        page) {
      // both, whatever becomes of the one
    }
  }
}
