package io.github.vfio4j.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IrqIndex.TooFewVectorsException;
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
import java.util.BitSet;
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

  /**
   * Enables from the lowest to the highest vector; those between them that are not given get no
   * event.
   */
  void install(SortedMap<Integer, IrqVector> consumers) throws VfioException {
    List<Fd> held = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      int start = consumers.firstKey();
      int count = consumers.lastKey() + 1 - start;
      MemorySegment request =
          request(
              arena,
              vfio_h.VFIO_IRQ_SET_DATA_EVENTFD | vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER,
              start,
              count,
              (long) count * Integer.BYTES);
      for (int i = 0; i < count; i++) {
        IrqVector consumer = consumers.get(start + i);
        int number = NO_EVENT;
        if (consumer != null) {
          number = consumer.file().acquire();
          held.add(consumer.file());
        }
        request.set(JAVA_INT, vfio_irq_set.SIZEOF + (long) i * Integer.BYTES, number);
      }
      enable(request);
    } finally {
      held.forEach(Fd::release);
    }
  }

  /** Gives one vector of an enabled set its consumer. */
  void set(int vector, IrqVector consumer) throws VfioException {
    setEvent(vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER, vector, consumer.file());
  }

  /** Takes one vector's consumer away and leaves the other vectors enabled. */
  void clear(int vector) throws VfioException {
    setEvent(vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER, vector, NO_EVENT);
  }

  /** Has an eventfd unmask a vector of an enabled set. */
  void resample(int vector, Fd eventfd) throws VfioException {
    setEvent(vfio_h.VFIO_IRQ_SET_ACTION_UNMASK, vector, eventfd);
  }

  /** Takes that eventfd away. */
  void endResample(int vector) throws VfioException {
    setEvent(vfio_h.VFIO_IRQ_SET_ACTION_UNMASK, vector, NO_EVENT);
  }

  private void setEvent(int action, int vector, Fd eventfd) throws VfioException {
    int number = eventfd.acquire();
    try {
      setEvent(action, vector, number);
    } finally {
      eventfd.release();
    }
  }

  private void setEvent(int action, int vector, int number) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          request(arena, vfio_h.VFIO_IRQ_SET_DATA_EVENTFD | action, vector, 1, Integer.BYTES);
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

  /** Triggers some of the vectors between two others. */
  void trigger(BitSet vectors) throws VfioException {
    int start = vectors.nextSetBit(0);
    int count = vectors.length() - start;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          request(
              arena,
              vfio_h.VFIO_IRQ_SET_DATA_BOOL | vfio_h.VFIO_IRQ_SET_ACTION_TRIGGER,
              start,
              count,
              count);
      vectors.stream()
          .forEach(v -> request.set(JAVA_BYTE, vfio_irq_set.SIZEOF + v - start, (byte) 1));
      issue(request);
    }
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

  /**
   * Issues a request that enables; an answer above 0 is how many there could be, of which none is.
   */
  private void enable(MemorySegment request) throws VfioException {
    int answer = channel.setIrqs(request);
    int wanted = vfio_irq_set.start(request) + vfio_irq_set.count(request);
    if (answer > 0 && answer < wanted) {
      throw new TooFewVectorsException(
          Ioctl.VFIO_DEVICE_SET_IRQS.name(), owner.toString(), wanted, answer);
    }
    require(answer, meaning(answer));
  }

  private void issue(MemorySegment request) throws VfioException {
    require(channel.setIrqs(request), "");
  }

  private void require(int answer, String meaning) throws VfioException {
    if (answer < 0) {
      throw Answer.failure(Ioctl.VFIO_DEVICE_SET_IRQS, owner.toString(), answer, meaning);
    }
    if (answer > 0) {
      throw Answer.impossible(
          Ioctl.VFIO_DEVICE_SET_IRQS, owner.toString(), answer + " where it is done or refused");
    }
  }

  private static String meaning(int answer) {
    if (Answer.is(answer, Errno.ENOSPC)) {
      return "this host has no free interrupt vectors for it; enable fewer, here or elsewhere";
    }
    if (Answer.is(answer, Errno.EINVAL)) {
      return "another kind of interrupt of this device may be enabled; disable that first";
    }
    return "";
  }
}
