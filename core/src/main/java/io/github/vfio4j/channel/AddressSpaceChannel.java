package io.github.vfio4j.channel;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;

/**
 * What a backend has to do for one IO address space.
 *
 * <p>{@link io.github.vfio4j.mapping.AddressSpace} has checked the arguments, knows what is mapped,
 * and holds its lock during each call. Answers are the kernel's: a negated error number, or 0 or
 * more.
 */
public interface AddressSpaceChannel {
  /** Returns which operation maps, for messages. */
  Ioctl mapOperation();

  /** Returns which operation unmaps, for messages. */
  Ioctl unmapOperation();

  /** Maps memory of this process, and pins it. */
  int map(long iova, long size, MemorySegment memory, DmaAccess access);

  /**
   * Unmaps and unpins what one call has mapped.
   *
   * @return how many bytes were unmapped, or a negated error number
   */
  long unmap(long iova, long size);

  /**
   * Makes an answer of a number of bytes that a kernel tells: one of 2<sup>63</sup> or more would
   * look like an error number, and is the largest answer instead, which nothing can be as long as.
   */
  static long answerOf(long bytes) {
    return bytes < 0 ? Long.MAX_VALUE : bytes;
  }

  /** Unmaps and unpins everything; where it is refused, a part may be unmapped. */
  int unmapAll();
}
