package io.github.vfio4j.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.bindings.vfio_irq_set;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The interrupts of a hosted device: which eventfd each vector signals, as VFIO's PCI driver keeps
 * them, with its rules and its answers. Thread-safe.
 */
final class Irqs {
  private static final int NONE = -1;
  private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

  private final Kernel kernel;
  private final Faults faults;
  private final int[] counts;

  /** The eventfds of each index, in an array as long as are enabled, with holes. */
  private final int[][] eventfds = new int[vfio_h.VFIO_PCI_NUM_IRQS][0];

  private boolean lineAsserted;
  private boolean lineMasked;

  Irqs(Kernel kernel, Faults faults, PciLayout layout) {
    this.kernel = kernel;
    this.faults = faults;
    this.counts =
        new int[] {layout.hasLine() ? 1 : 0, layout.msiVectors(), layout.msixVectors(), 1, 1};
  }

  /** Fills a {@code vfio_irq_info}. */
  int info(MemorySegment info) {
    int index = vfio_irq_info.index(info);
    if (index < 0 || index >= counts.length) {
      return -Errno.EINVAL.number();
    }
    vfio_irq_info.count(info, counts[index]);
    vfio_irq_info.flags(info, flags(index));
    return 0;
  }

  private static int flags(int index) {
    return vfio_h.VFIO_IRQ_INFO_EVENTFD
        | switch (index) {
          case vfio_h.VFIO_PCI_INTX_IRQ_INDEX ->
              vfio_h.VFIO_IRQ_INFO_MASKABLE | vfio_h.VFIO_IRQ_INFO_AUTOMASKED;
          case vfio_h.VFIO_PCI_MSIX_IRQ_INDEX -> 0;
          default -> vfio_h.VFIO_IRQ_INFO_NORESIZE;
        };
  }

  /** Carries out a {@code vfio_irq_set}. */
  synchronized int set(MemorySegment request) {
    int index = vfio_irq_set.index(request);
    int start = vfio_irq_set.start(request);
    int count = vfio_irq_set.count(request);
    int flags = vfio_irq_set.flags(request);
    if (index < 0
        || index >= counts.length
        || start < 0
        || count < 0
        || start > counts[index]
        || count > counts[index] - start) {
      return -Errno.EINVAL.number();
    }
    int data = flags & vfio_h.VFIO_IRQ_SET_DATA_TYPE_MASK;
    return switch (flags & vfio_h.VFIO_IRQ_SET_ACTION_TYPE_MASK) {
      case vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER -> trigger(request, index, start, count, data);
      case vfio_h.VFIO_IRQ_SET_ACTION_MASK -> mask(index, count, data, true);
      case vfio_h.VFIO_IRQ_SET_ACTION_UNMASK -> mask(index, count, data, false);
      default -> -Errno.EINVAL.number();
    };
  }

  private int trigger(MemorySegment request, int index, int start, int count, int data) {
    if (data == vfio_h.VFIO_IRQ_SET_DATA_EVENTFD) {
      return count == 0 ? -Errno.EINVAL.number() : install(request, index, start, count);
    }
    if (count == 0) {
      disable(index);
      return 0;
    }
    if (start + count > eventfds[index].length) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; i < count; i++) {
      if (data == vfio_h.VFIO_IRQ_SET_DATA_NONE
          || request.get(JAVA_BYTE, vfio_irq_set.SIZEOF + i) != 0) {
        signal(eventfds[index][start + i]);
      }
    }
    return 0;
  }

  private int install(MemorySegment request, int index, int start, int count) {
    if (index <= vfio_h.VFIO_PCI_MSIX_IRQ_INDEX && isOtherEnabled(index)) {
      return -Errno.EINVAL.number();
    }
    int last = start + count;
    boolean resizable = (flags(index) & vfio_h.VFIO_IRQ_INFO_NORESIZE) == 0;
    if (eventfds[index].length > 0 && last > eventfds[index].length && !resizable) {
      return -Errno.EINVAL.number();
    }
    int available = faults.availableVectors(index);
    if (last > available) {
      return available > 0 ? available : -Errno.ENOSPC.number();
    }
    int[] fresh = new int[count];
    for (int i = 0; i < count; i++) {
      int given = request.get(JAVA_INT, vfio_irq_set.SIZEOF + (long) i * Integer.BYTES);
      fresh[i] = given == NONE ? NONE : kernel.duplicate(given);
      if (given != NONE && fresh[i] < 0) {
        close(Arrays.copyOf(fresh, i));
        return fresh[i];
      }
    }
    int former = eventfds[index].length;
    if (last > former) {
      eventfds[index] = Arrays.copyOf(eventfds[index], last);
      Arrays.fill(eventfds[index], former, last, NONE);
    }
    close(Arrays.copyOfRange(eventfds[index], start, last));
    System.arraycopy(fresh, 0, eventfds[index], start, count);
    if (index == vfio_h.VFIO_PCI_INTX_IRQ_INDEX) {
      lineMasked = false;
      deliverLine();
    }
    return 0;
  }

  /** Returns whether another of INTx, MSI and MSI-X is enabled, of which there is one at a time. */
  private boolean isOtherEnabled(int index) {
    for (int other = 0; other <= vfio_h.VFIO_PCI_MSIX_IRQ_INDEX; other++) {
      if (other != index && eventfds[other].length > 0) {
        return true;
      }
    }
    return false;
  }

  private int mask(int index, int count, int data, boolean masked) {
    if (index != vfio_h.VFIO_PCI_INTX_IRQ_INDEX || data == vfio_h.VFIO_IRQ_SET_DATA_EVENTFD) {
      return -Errno.ENOTTY.number();
    }
    if (count != 1 || eventfds[index].length == 0) {
      return -Errno.EINVAL.number();
    }
    lineMasked = masked;
    deliverLine();
    return 0;
  }

  private void disable(int index) {
    close(eventfds[index]);
    eventfds[index] = new int[0];
  }

  private void close(int[] closed) {
    for (int fd : closed) {
      if (fd != NONE) {
        kernel.close(fd);
      }
    }
  }

  synchronized void disableAll() {
    for (int index = 0; index < eventfds.length; index++) {
      disable(index);
    }
    lineAsserted = false;
  }

  synchronized boolean messagesEnabled() {
    return eventfds[vfio_h.VFIO_PCI_MSI_IRQ_INDEX].length > 0
        || eventfds[vfio_h.VFIO_PCI_MSIX_IRQ_INDEX].length > 0;
  }

  synchronized void raiseMessage(int vector) {
    int msix = vfio_h.VFIO_PCI_MSIX_IRQ_INDEX;
    raise(eventfds[msix].length > 0 ? msix : vfio_h.VFIO_PCI_MSI_IRQ_INDEX, vector);
  }

  synchronized void setLine(boolean asserted) {
    lineAsserted = asserted;
    deliverLine();
  }

  /** Signals the line once, and masks it until the driver has served it. */
  private void deliverLine() {
    if (lineAsserted && !lineMasked && eventfds[vfio_h.VFIO_PCI_INTX_IRQ_INDEX].length > 0) {
      lineMasked = true;
      raise(vfio_h.VFIO_PCI_INTX_IRQ_INDEX, 0);
    }
  }

  /** Signals a vector, unless it is to be lost. */
  synchronized void raise(int index, int vector) {
    if (vector >= 0 && vector < eventfds[index].length && !faults.losesInterrupt()) {
      signal(eventfds[index][vector]);
    }
  }

  private void signal(int fd) {
    if (fd != NONE) {
      kernel.write(fd, ONE);
    }
  }
}
