package io.github.vfio4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_set;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/** The questions of {@code VFIO_DEVICE_SET_IRQS} for one kind of interrupt. */
final class IrqSet {
  private static final int NO_EVENT = -1;

  private final DeviceChannel channel;
  private final int index;
  private final Object owner;

  /** Takes the object that messages name. */
  IrqSet(DeviceChannel channel, int index, Object owner) {
    this.channel = channel;
    this.index = index;
    this.owner = owner;
  }

  /** Enables from vector 0 to the highest given; vectors that are not given get no event. */
  void install(SortedMap<Integer, IrqVector> consumers) throws VfioException {
    List<Fd> held = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      int count = consumers.lastKey() + 1;
      MemorySegment request =
          request(
              arena,
              vfio_h.VFIO_IRQ_SET_DATA_EVENTFD | vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER,
              0,
              count,
              (long) count * Integer.BYTES);
      for (int vector = 0; vector < count; vector++) {
        IrqVector consumer = consumers.get(vector);
        int number = NO_EVENT;
        if (consumer != null) {
          number = consumer.file().acquire();
          held.add(consumer.file());
        }
        request.set(JAVA_INT, vfio_irq_set.SIZEOF + (long) vector * Integer.BYTES, number);
      }
      issue(request);
    } finally {
      held.forEach(Fd::release);
    }
  }

  /** Gives one vector of an enabled set its consumer. */
  void set(int vector, IrqVector consumer) throws VfioException {
    int number = consumer.file().acquire();
    try {
      setEvent(vector, number);
    } finally {
      consumer.file().release();
    }
  }

  /** Takes one vector's consumer away and leaves the other vectors enabled. */
  void clear(int vector) throws VfioException {
    setEvent(vector, NO_EVENT);
  }

  private void setEvent(int vector, int number) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          request(
              arena,
              vfio_h.VFIO_IRQ_SET_DATA_EVENTFD | vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER,
              vector,
              1,
              Integer.BYTES);
      request.set(JAVA_INT, vfio_irq_set.SIZEOF, number);
      issue(request);
    }
  }

  /** Disables all vectors. */
  void disable() throws VfioException {
    withoutData(vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0);
  }

  void trigger(int vector) throws VfioException {
    withoutData(vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER, vector, 1);
  }

  void mask(int vector) throws VfioException {
    withoutData(vfio_h.VFIO_IRQ_SET_ACTION_MASK, vector, 1);
  }

  void unmask(int vector) throws VfioException {
    withoutData(vfio_h.VFIO_IRQ_SET_ACTION_UNMASK, vector, 1);
  }

  private void withoutData(int action, int start, int count) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      issue(request(arena, vfio_h.VFIO_IRQ_SET_DATA_NONE | action, start, count, 0));
    }
  }

  private MemorySegment request(Arena arena, int flags, int start, int count, long dataSize) {
    long size = vfio_irq_set.SIZEOF + dataSize;
    MemorySegment request = arena.allocate(size, Long.BYTES);
    vfio_irq_set.argsz(request, (int) size);
    vfio_irq_set.flags(request, flags);
    vfio_irq_set.index(request, index);
    vfio_irq_set.start(request, start);
    vfio_irq_set.count(request, count);
    return request;
  }

  /** Issues a request; an answer above 0 is how many vectors there could be, of which none is. */
  private void issue(MemorySegment request) throws VfioException {
    int available = channel.setIrqs(request);
    if (available < 0) {
      throw Answer.failure(
          Ioctl.VFIO_DEVICE_SET_IRQS, owner.toString(), available, meaning(request, available));
    }
    if (available > 0) {
      throw new VfioException(
          Ioctl.VFIO_DEVICE_SET_IRQS.name(),
          owner.toString(),
          null,
          "only the first %d vectors can be had here, not %d"
              .formatted(available, vfio_irq_set.start(request) + vfio_irq_set.count(request)));
    }
  }

  private static String meaning(MemorySegment request, int answer) {
    boolean enables = vfio_irq_set.start(request) == 0 && vfio_irq_set.count(request) > 0;
    if (enables && Answer.is(answer, Errno.ENOSPC)) {
      return "this host has no free interrupt vectors for it; enable fewer, here or elsewhere";
    }
    if (enables && Answer.is(answer, Errno.EINVAL)) {
      return "another kind of interrupt of this device may be enabled; disable that first";
    }
    return "";
  }
}
