package io.github.vfio4j.iommufd;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_fault_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_page_response;
import io.github.vfio4j.bindings.iommu_hwpt_pgfault;
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
 * Where the page faults of devices arrive, and are answered.
 *
 * <p>{@link Iommufd#allocateFaultQueue} makes one; page tables made with it deliver to it. Only
 * devices that can wait for a page use it: those with PRI, or whose requests an SMMUv3 stalls. Most
 * drivers of IOMMUs attach others to such a page table too, and then nothing arrives; VT-d's
 * refuses.
 *
 * <p>Consume it either by {@link #await} or through an {@link EventDispatcher}. Thread-safe; {@link
 * #await} blocks the carrier of a virtual thread. It ends with its iommufd. Once it is closed, its
 * methods throw {@link IllegalStateException}.
 */
@SuppressWarnings("exports") // the channel is for the dispatcher
public final class FaultQueue implements EventChannel.Source<List<PageFault>>, AutoCloseable {
  /** How many faults there is room for at first; a larger group makes more. */
  private static final int FAULTS = 64;

  private final IommufdObject object;
  private final QueueFile file;
  private final QueueChannel<PageFault> channel;

  private FaultQueue(IommufdObject object, QueueFile file) {
    this.object = object;
    this.file = file;
    this.channel = new QueueChannel<>(file, this::await, new Subscriber());
    object.endWith(this::closeFile);
  }

  /** Makes a queue, with the monitor of the iommufd held. */
  static FaultQueue allocate(Iommufd iommufd) throws VfioException {
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      IommufdObject object = new IommufdObject(iommufd, "fault queue", iommufd.dependents());
      rollback.add(object::close);
      QueueFile file =
          QueueOpening.prepare(rollback, object, "fault queue", FAULTS * iommu_hwpt_pgfault.SIZEOF);
      FaultQueue queue = new FaultQueue(object, file);
      MemorySegment request = Request.of(arena, iommu_fault_alloc.LAYOUT);
      Answer.require(
          Ioctl.IOMMU_FAULT_QUEUE_ALLOC,
          iommufd.toString(),
          QueueOpening.make(
              object,
              file,
              Ioctl.IOMMU_FAULT_QUEUE_ALLOC,
              request,
              iommu_fault_alloc.out_fault_id$OFFSET,
              iommu_fault_alloc.out_fault_fd$OFFSET));
      return rollback.done(queue);
    }
  }

  IommufdObject object() {
    return object;
  }

  /**
   * Returns how {@link io.github.vfio4j.event.EventDispatcher} watches this queue, which is its
   * business alone.
   *
   * @return the channel
   */
  @Override
  public EventChannel<List<PageFault>> channel() {
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
   * Waits until a page fault arrives.
   *
   * @param timeout how long to wait, to the nanosecond; zero only looks
   * @return the faults that have arrived, whole groups, or none when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if the queue is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses, or a group has more than 65,536 faults
   */
  public List<PageFault> await(Duration timeout) throws VfioException {
    return file.read(Timeout.nanos(timeout), this::parse);
  }

  private List<PageFault> parse(MemorySegment room, long answer) throws VfioException {
    long length = QueueOpening.bytes(file, object, room, answer);
    if (length % iommu_hwpt_pgfault.SIZEOF != 0) {
      throw QueueOpening.impossible(object, length);
    }
    List<PageFault> faults = new ArrayList<>();
    for (long at = 0; at < length; at += iommu_hwpt_pgfault.SIZEOF) {
      faults.add(PageFault.read(room.asSlice(at, iommu_hwpt_pgfault.SIZEOF)));
    }
    return List.copyOf(faults);
  }

  /**
   * Answers a group of page faults.
   *
   * @param fault any fault of the group
   * @param response the answer
   * @throws IllegalStateException if the queue is closed
   * @throws VfioException if the kernel refuses; EINVAL says that nothing waits for this answer: it
   *     was given, or the device was detached meanwhile
   */
  public void respond(PageFault fault, PageResponse response) throws VfioException {
    respond(fault.cookie(), response);
  }

  /**
   * Answers a group of page faults.
   *
   * @param cookie what names the group
   * @param response the answer
   * @throws VfioException as {@link #respond(PageFault, PageResponse)}
   */
  public void respond(int cookie, PageResponse response) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = arena.allocate(iommu_hwpt_page_response.LAYOUT);
      iommu_hwpt_page_response.cookie(answer, cookie);
      iommu_hwpt_page_response.code(answer, response.code());
      long written = file.write(answer);
      if (written < 0) {
        throw Answer.failure(
            "write",
            toString(),
            (int) written,
            Answer.is(written, Errno.EINVAL)
                ? "no page fault waits for an answer to cookie " + cookie
                : "");
      }
    }
  }

  private void closeFile() throws VfioException {
    QueueOpening.close(toString(), channel);
  }

  /**
   * Destroys the queue after the page tables that deliver to it; {@code IOMMU_DESTROY}. Faults that
   * wait are answered as invalid. Later calls do nothing.
   *
   * @throws DeviceBusyException if a device is attached to such a page table; it stays usable then
   * @throws VfioException if the kernel refuses otherwise
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
