package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.bindings.vfio_irq_set;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

/**
 * The interrupts of a device: of INTx, MSI and MSI-X one is enabled at a time, and a vector fires
 * if it has an eventfd.
 */
public final class FakeInterrupts {
  /** How many vectors MSI and MSI-X have. */
  public static final int VECTORS = 4;

  static final int KINDS = vfio_h.VFIO_PCI_NUM_IRQS;

  private static final int INTX = vfio_h.VFIO_PCI_INTX_IRQ_INDEX;
  private static final int MSI = vfio_h.VFIO_PCI_MSI_IRQ_INDEX;
  private static final int MSIX = vfio_h.VFIO_PCI_MSIX_IRQ_INDEX;
  private static final int NO_EVENT = -1;

  private final Kernel real;

  /** The eventfd of each vector of the kinds that are enabled, {@link #NO_EVENT} where none is. */
  private final TreeMap<Integer, int[]> enabled = new TreeMap<>();

  private final Deque<Errno> refusals = new ArrayDeque<>();
  private int available = VECTORS;
  private int unmasking = NO_EVENT;
  private boolean resizable;

  FakeInterrupts(Kernel real) {
    this.real = real;
  }

  /** Leaves the device only so many vectors, as a host does whose vectors have run out. */
  public synchronized void available(int vectors) {
    available = vectors;
  }

  /** Lets MSI-X vectors be added one by one while others are enabled, as kernels from 6.5 do. */
  public synchronized void resizable() {
    resizable = true;
  }

  /** Refuses to enable a kind that is not, once for each of these reasons. */
  public synchronized void refuseEnabling(Errno... reasons) {
    refusals.addAll(List.of(reasons));
  }

  /** Returns how many vectors have an eventfd. */
  public synchronized long enabled() {
    return enabled.values().stream().mapToLong(FakeInterrupts::enabled).sum();
  }

  private static long enabled(int... vectors) {
    return Arrays.stream(vectors).filter(fd -> fd != NO_EVENT).count();
  }

  /** Has a vector fire; one that the kernel has not enabled does nothing. */
  public void raise(Interrupt interrupt) {
    ((EventChannel.Source<?>) interrupt).channel().file().call(this::signal);
  }

  private synchronized int signal(int eventfd) {
    boolean wanted =
        enabled.values().stream().flatMapToInt(Arrays::stream).anyMatch(fd -> fd == eventfd);
    if (wanted) {
      try (Arena arena = Arena.ofConfined()) {
        real.write(eventfd, arena.allocateFrom(JAVA_LONG, 1));
      }
    }
    return 0;
  }

  int info(MemorySegment info) {
    int kind = vfio_irq_info.index(info);
    if (count(kind) == 0) {
      return -Errno.EINVAL.number();
    }
    vfio_irq_info.flags(
        info,
        vfio_h.VFIO_IRQ_INFO_EVENTFD
            | (kind == INTX
                ? vfio_h.VFIO_IRQ_INFO_MASKABLE | vfio_h.VFIO_IRQ_INFO_AUTOMASKED
                : canGrow(kind) ? 0 : vfio_h.VFIO_IRQ_INFO_NORESIZE));
    vfio_irq_info.count(info, count(kind));
    return 0;
  }

  private boolean canGrow(int kind) {
    return kind == MSIX && resizable;
  }

  private static int count(int kind) {
    if (kind < 0 || kind >= KINDS) {
      return 0;
    }
    return kind == MSI || kind == MSIX ? VECTORS : 1;
  }

  synchronized int set(MemorySegment request, OpenFiles files) {
    int kind = vfio_irq_set.index(request);
    int start = vfio_irq_set.start(request);
    int count = vfio_irq_set.count(request);
    int flags = vfio_irq_set.flags(request);
    boolean data = (flags & vfio_h.VFIO_IRQ_SET_DATA_EVENTFD) != 0;
    boolean some = (flags & vfio_h.VFIO_IRQ_SET_DATA_BOOL) != 0;
    long size = vfio_irq_set.SIZEOF + (data ? (long) count * Integer.BYTES : some ? count : 0);
    if (vfio_irq_set.argsz(request) != size
        || start < 0
        || count < 0
        || start > count(kind) - count) {
      return -Errno.EINVAL.number();
    }
    if ((flags & vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER) == 0) {
      return kind != INTX
          ? -Errno.ENOTTY.number()
          : data ? unmaskBy(request.get(JAVA_INT, vfio_irq_set.SIZEOF), files) : 0;
    }
    if (!data) {
      byte[] chosen = new byte[count];
      if (some) {
        chosen = request.asSlice(vfio_irq_set.SIZEOF).toArray(JAVA_BYTE);
      } else {
        Arrays.fill(chosen, (byte) 1);
      }
      return count == 0 ? disable(kind) : fire(kind, start, chosen);
    }
    int[] eventfds = request.asSlice(vfio_irq_set.SIZEOF).toArray(JAVA_INT);
    boolean open = Arrays.stream(eventfds).allMatch(fd -> fd == NO_EVENT || files.has(fd));
    return open ? enable(kind, start, eventfds) : -Errno.EBADF.number();
  }

  /** Keeps the eventfd that unmasks the line, of which there is one. */
  private int unmaskBy(int eventfd, OpenFiles files) {
    if (enabled.get(INTX) == null) {
      return -Errno.EINVAL.number();
    }
    if (eventfd != NO_EVENT && unmasking != NO_EVENT) {
      return -Errno.EBUSY.number();
    }
    if (eventfd != NO_EVENT && !files.has(eventfd)) {
      return -Errno.EBADF.number();
    }
    unmasking = eventfd;
    return 0;
  }

  /** Returns whether an eventfd unmasks the line. */
  public synchronized boolean unmaskedByEvent() {
    return unmasking != NO_EVENT;
  }

  private int disable(int kind) {
    if (kind == INTX) {
      unmasking = NO_EVENT;
    }
    return enabled.remove(kind) == null ? -Errno.EINVAL.number() : 0;
  }

  private int fire(int kind, int start, byte... chosen) {
    int[] vectors = enabled.get(kind);
    if (vectors == null || start + chosen.length > vectors.length) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; i < chosen.length; i++) {
      if (chosen[i] != 0) {
        signal(vectors[start + i]);
      }
    }
    return 0;
  }

  private int enable(int kind, int start, int... eventfds) {
    int[] vectors = enabled.get(kind);
    int wanted = start + eventfds.length;
    if (vectors == null) {
      return allocate(kind, wanted, start, eventfds);
    }
    if (wanted > vectors.length) {
      if (!canGrow(kind)) {
        return -Errno.EINVAL.number();
      }
      if (enabled(vectors) + enabled(eventfds) > available) {
        return -Errno.ENOSPC.number();
      }
      vectors = grown(wanted, vectors);
      enabled.put(kind, vectors);
    }
    System.arraycopy(eventfds, 0, vectors, start, eventfds.length);
    return 0;
  }

  private int allocate(int kind, int wanted, int start, int... eventfds) {
    if (kind <= MSIX && !enabled.headMap(MSIX, true).isEmpty()) {
      return -Errno.EINVAL.number();
    }
    Errno refusal = refusals.poll();
    if (refusal != null) {
      return -refusal.number();
    }
    if (wanted > available) {
      return available == 0 ? -Errno.ENOSPC.number() : available;
    }
    int[] vectors = grown(wanted);
    System.arraycopy(eventfds, 0, vectors, start, eventfds.length);
    enabled.put(kind, vectors);
    return 0;
  }

  private static int[] grown(int count, int... vectors) {
    int[] more = Arrays.copyOf(vectors, count);
    Arrays.fill(more, vectors.length, count, NO_EVENT);
    return more;
  }

  /** Disables all, as the kernel does when the device is closed. */
  synchronized void closed() {
    enabled.clear();
    unmasking = NO_EVENT;
  }
}
