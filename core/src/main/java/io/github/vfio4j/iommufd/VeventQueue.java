package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_vevent_arm_smmuv3;
import io.github.vfio4j.bindings.iommu_vevent_tegra241_cmdqv;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.bindings.iommufd_vevent_header;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.channel.Subscriber;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.QueueFile;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The queue of events (vEVENTQ) that a {@link Viommu} reports to its guest: faults of the guest's
 * page tables, and errors of its queues.
 *
 * <p>Consume it either by {@link #await} or through an {@link EventDispatcher}. Thread-safe; {@link
 * #await} blocks the carrier of a virtual thread. It ends with its vIOMMU. Once it is closed, its
 * methods throw {@link IllegalStateException}.
 */
@SuppressWarnings("exports") // the channel is for the dispatcher
public final class VeventQueue implements EventChannel.Source<List<Vevent>>, AutoCloseable {
  /** The type of events of Arm's SMMUv3: records of 32 bytes. */
  public static final int ARM_SMMUV3 = iommufd_h.IOMMU_VEVENTQ_TYPE_ARM_SMMUV3;

  /** The type of events of NVIDIA's virtual command queues: error maps of 16 bytes. */
  public static final int TEGRA241_CMDQV = iommufd_h.IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV;

  private static final int EVENTS = 64;

  private final IommufdObject object;
  private final QueueFile file;
  private final QueueChannel<Vevent> channel;
  private final int type;
  private final int eventSize;

  private VeventQueue(IommufdObject object, QueueFile file, int type, int eventSize) {
    this.object = object;
    this.file = file;
    this.channel = new QueueChannel<>(file, this::await, new Subscriber());
    this.type = type;
    this.eventSize = eventSize;
    object.endWith(this::closeFile);
  }

  static int eventSize(int type) {
    return switch (type) {
      case ARM_SMMUV3 -> (int) iommu_vevent_arm_smmuv3.SIZEOF;
      case TEGRA241_CMDQV -> (int) iommu_vevent_tegra241_cmdqv.SIZEOF;
      default ->
          throw new IllegalArgumentException(
              "The size of events of type 0x%x is not known here; give it".formatted(type));
    };
  }

  /** Makes a queue, with the monitor of the iommufd held. */
  static VeventQueue allocate(IommufdObject viommu, int type, int depth, int eventSize)
      throws VfioException {
    long room = EVENTS * (iommufd_vevent_header.SIZEOF + eventSize);
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      IommufdObject object = new IommufdObject(viommu.iommufd(), "vEVENTQ", viommu.companions());
      rollback.add(object::close);
      QueueFile file = QueueOpening.prepare(rollback, object, "event queue of " + viommu, room);
      VeventQueue queue = new VeventQueue(object, file, type, eventSize);
      MemorySegment request = Request.of(arena, iommu_veventq_alloc.LAYOUT);
      iommu_veventq_alloc.viommu_id(request, viommu.id());
      iommu_veventq_alloc.type(request, type);
      iommu_veventq_alloc.veventq_depth(request, depth);
      int answer =
          QueueOpening.make(
              object,
              file,
              Ioctl.IOMMU_VEVENTQ_ALLOC,
              request,
              iommu_veventq_alloc.out_veventq_id$OFFSET,
              iommu_veventq_alloc.out_veventq_fd$OFFSET);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_VEVENTQ_ALLOC,
            viommu.toString(),
            answer,
            Answer.is(answer, Errno.EEXIST) ? "it has a queue of this type" : "");
      }
      return rollback.done(queue);
    }
  }

  /**
   * Returns how {@link io.github.vfio4j.event.EventDispatcher} watches this queue, which is its
   * business alone.
   *
   * @return the channel
   */
  @Override
  public EventChannel<List<Vevent>> channel() {
    return channel;
  }

  @Override
  public boolean isClosed() {
    return file.isClosed();
  }

  /**
   * Returns the kernel's number of this object.
   *
   * @return the object ID within its iommufd
   */
  public int id() {
    return object.id();
  }

  /**
   * Returns which events arrive.
   *
   * @return the type, as given when it was made
   */
  public int type() {
    return type;
  }

  /**
   * Waits until an event arrives.
   *
   * @param timeout how long to wait, to the nanosecond; zero only looks
   * @return the events that have arrived, at most 64 at once, or none when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if the queue is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  public List<Vevent> await(Duration timeout) throws VfioException {
    return file.read(Timeout.nanos(timeout), this::parse);
  }

  private List<Vevent> parse(MemorySegment room, long answer) throws VfioException {
    long length = QueueOpening.bytes(file, object, room, answer);
    List<Vevent> events = new ArrayList<>();
    long at = 0;
    while (at < length) {
      long data = at + iommufd_vevent_header.SIZEOF;
      if (data > length) {
        throw cutOff(length);
      }
      // an event whose size is not a multiple of 4 leaves the next header unaligned
      byte[] header = room.asSlice(at, iommufd_vevent_header.SIZEOF).toArray(JAVA_BYTE);
      MemorySegment words = MemorySegment.ofArray(new long[1]);
      MemorySegment.copy(header, 0, words, JAVA_BYTE, 0, header.length);
      boolean lost =
          (iommufd_vevent_header.flags(words) & iommufd_h.IOMMU_VEVENTQ_FLAG_LOST_EVENTS) != 0;
      int size = lost ? 0 : eventSize;
      if (data + size > length) {
        throw cutOff(length);
      }
      events.add(
          new Vevent(
              iommufd_vevent_header.sequence(words),
              lost,
              room.asSlice(data, size).toArray(JAVA_BYTE)));
      at = data + size;
    }
    return List.copyOf(events);
  }

  private VfioException cutOff(long length) {
    return new VfioException(
        "read",
        toString(),
        null,
        "the kernel's reply of " + length + " bytes ends within an event of " + eventSize);
  }

  private void closeFile() throws VfioException {
    QueueOpening.close(toString(), channel);
  }

  /**
   * Destroys the queue with the events in it; {@code IOMMU_DESTROY}. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    object.close();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return object.toString();
  }
}
