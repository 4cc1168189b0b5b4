package io.github.vfio4j.device;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.RawCapability;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_info_cap_header;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The chain of capabilities behind an info structure.
 *
 * <p>The kernel's offsets are checked before they are followed: each must lie in the reply, be
 * aligned, and not lead to where another capability's header is. They may come in any order.
 */
public final class CapabilityChain {
  /** One capability: the bytes from its header to where the next one, or the reply, ends. */
  public record Link(int id, int version, MemorySegment bytes) {
    public RawCapability raw() {
      return new RawCapability(
          id, version, bytes.asSlice(vfio_info_cap_header.SIZEOF).toArray(JAVA_BYTE));
    }

    /** Refuses a capability that is shorter than its structure. */
    public void require(Ioctl operation, String object, long size) throws VfioException {
      if (bytes.byteSize() < size) {
        throw Answer.impossible(
            operation,
            object,
            "capability %d with %d bytes, not %d".formatted(id, bytes.byteSize(), size));
      }
    }
  }

  /** What the kernel aligns offsets to, in every version. */
  private static final long UNIT = Integer.BYTES;

  private CapabilityChain() {}

  /**
   * Walks a chain.
   *
   * @param reply the whole reply
   * @param first the offset of the first capability, or 0 for none
   * @param minimum the size of the structure in front of the chain
   * @throws VfioException if the chain leaves the reply, or a header lies on another or on itself
   */
  public static List<Link> walk(MemorySegment reply, long first, long minimum, String object)
      throws VfioException {
    List<Long> offsets = new ArrayList<>();
    BitSet starts = new BitSet();
    for (long offset = first; offset != 0; offset = next(reply, offset)) {
      if (offset < minimum
          || offset % UNIT != 0
          || offset > reply.byteSize() - vfio_info_cap_header.SIZEOF
          || overlaps(starts, unit(offset))) {
        throw new VfioException(
            "read capabilities",
            object,
            null,
            "the kernel's chain has the impossible offset %d after %s"
                .formatted(offset, offsets.isEmpty() ? "its start" : offsets.getLast()));
      }
      offsets.add(offset);
      starts.set(unit(offset));
    }
    List<Link> links = new ArrayList<>();
    for (long offset : offsets) {
      int following = starts.nextSetBit(unit(offset) + 1);
      long end = following < 0 ? reply.byteSize() : following * UNIT;
      MemorySegment bytes = aligned(reply.asSlice(offset, end - offset));
      links.add(
          new Link(
              Short.toUnsignedInt(vfio_info_cap_header.id(bytes)),
              Short.toUnsignedInt(vfio_info_cap_header.version(bytes)),
              bytes));
    }
    return links;
  }

  /** Returns whether a header has a unit in common with one of those that start there. */
  private static boolean overlaps(BitSet starts, int unit) {
    int nearest = starts.nextSetBit(unit - unit(vfio_info_cap_header.SIZEOF) + 1);
    return nearest >= 0 && nearest < unit + unit(vfio_info_cap_header.SIZEOF);
  }

  private static int unit(long offset) {
    return Math.toIntExact(offset / UNIT);
  }

  /** Kernels before 6.6 put capabilities anywhere, but their layouts hold 64-bit fields. */
  private static MemorySegment aligned(MemorySegment bytes) {
    if (bytes.address() % Long.BYTES == 0) {
      return bytes;
    }
    long words = (bytes.byteSize() + Long.BYTES - 1) / Long.BYTES;
    MemorySegment copy = MemorySegment.ofArray(new long[Math.toIntExact(words)]);
    return copy.asSlice(0, bytes.byteSize()).copyFrom(bytes);
  }

  private static long next(MemorySegment reply, long offset) {
    return Integer.toUnsignedLong(
        vfio_info_cap_header.next(reply.asSlice(offset, vfio_info_cap_header.SIZEOF)));
  }
}
