package io.github.vfio4j.kerneltests.sequences;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** What is mapped in an address space, and what it should say to whoever asks for more. */
final class SpaceModel {
  static final long PAGE = 4096;

  /** What an address space of iommufd takes that no device is attached to. */
  private static final IovaRange EVERYTHING = new IovaRange(0, -1);

  /**
   * Something mapped; none equals another.
   *
   * @param size its bytes
   * @param page which page of the sequence's memory it begins with, or -1 if it is other memory
   * @param access what the device may do
   */
  record Mapped(long size, int page, DmaAccess access) {
    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /** A mapping at an address that the library chose. */
  record Chosen(DmaMapping handle, Mapped mapped) {}

  /** A buffer, and what it has mapped. */
  record Buffer(DmaBuffer handle, Mapped mapped) {}

  /** How many devices do their DMA here, and whether any ever did. */
  private enum Ranges {
    /** No device was ever there. */
    WIDE,
    /** A device is there. */
    NARROW,
    /** The last device has gone; the ranges may have been read again since. */
    UNKNOWN
  }

  final IoAddressSpace space;
  final List<Chosen> chosen = new ArrayList<>();
  final List<Buffer> buffers = new ArrayList<>();
  private final List<IovaRange> narrow;
  private final NavigableMap<Long, Mapped> mapped = new TreeMap<>(Long::compareUnsigned);
  private Ranges ranges;
  private boolean mappable;
  private boolean open = true;

  /**
   * An empty address space.
   *
   * @param narrow what is left of it when a device is there
   * @param mappable whether it needs no device for that
   */
  SpaceModel(IoAddressSpace space, List<IovaRange> narrow, boolean mappable) {
    this.space = space;
    this.narrow = List.copyOf(narrow);
    this.mappable = mappable;
    this.ranges = Ranges.WIDE;
  }

  boolean isOpen() {
    return open;
  }

  boolean isMappable() {
    return open && mappable;
  }

  /** A device has come. */
  void narrowed() {
    mappable = true;
    ranges = Ranges.NARROW;
  }

  /** The last device has gone. */
  void left() {
    ranges = Ranges.UNKNOWN;
  }

  void close() {
    open = false;
    mapped.clear();
  }

  private Expected openFor(Expected otherwise) {
    return isMappable() ? otherwise : Expected.CLOSED;
  }

  Expected map(long iova, long size) {
    boolean bad =
        size == 0
            || ((iova | size) & (PAGE - 1)) != 0
            || Long.compareUnsigned(iova + (size - 1), iova) < 0;
    return openFor(bad ? Expected.BAD : mapGood(iova, size));
  }

  private Expected mapGood(long iova, long size) {
    IovaRange wanted = new IovaRange(iova, iova + size - 1);
    Expected inside =
        overlaps(wanted) ? Expected.refused(IovaInUseException.class) : Expected.RETURNS;
    if (fits(wanted)) {
      return inside;
    }
    Expected outside = Expected.refused(IovaOutOfRangeException.class);
    return switch (ranges) {
      case WIDE -> EVERYTHING.contains(wanted) ? inside : outside;
      case NARROW -> outside;
      case UNKNOWN -> inside.or(outside);
    };
  }

  private boolean fits(IovaRange wanted) {
    return narrow.stream().anyMatch(range -> range.contains(wanted));
  }

  private boolean overlaps(IovaRange wanted) {
    return mapped.entrySet().stream().anyMatch(one -> range(one).overlaps(wanted));
  }

  private static IovaRange range(Map.Entry<Long, Mapped> one) {
    return new IovaRange(one.getKey(), one.getKey() + one.getValue().size() - 1);
  }

  /** Whether a device can come with what is mapped. */
  boolean suitsDevices() {
    return mapped.entrySet().stream().allMatch(one -> fits(range(one)));
  }

  Expected mapAnywhere() {
    return openFor(Expected.RETURNS);
  }

  Expected allocate(long size) {
    return size <= 0 ? Expected.BAD : openFor(Expected.RETURNS);
  }

  /** Enters what the library has mapped where it wanted, if it could. */
  Optional<String> enterChosen(long iova, Mapped one) {
    IovaRange range = new IovaRange(iova, iova + one.size() - 1);
    if (overlaps(range)) {
      return Optional.of(range + " was chosen, which is mapped already");
    }
    if (ranges == Ranges.NARROW && !fits(range)) {
      return Optional.of(range + " was chosen, which cannot be mapped");
    }
    enter(iova, one);
    return Optional.empty();
  }

  void enter(long iova, Mapped one) {
    mapped.put(iova, one);
  }

  Expected unmap(long iova, long size) {
    if (!open) {
      return Expected.CLOSED;
    }
    Mapped there = mapped.get(iova);
    return there != null && there.size() == size ? Expected.RETURNS : Expected.BAD;
  }

  void unmapped(long iova) {
    mapped.remove(iova);
  }

  /** Takes one out, unless it was unmapped before, and another may be there by now. */
  void unmapped(long iova, Mapped one) {
    mapped.remove(iova, one);
  }

  void unmappedAll() {
    mapped.clear();
  }

  Expected unmapAll() {
    return open ? Expected.RETURNS : Expected.CLOSED;
  }

  /** What a device finds at the beginning of a page. */
  Optional<Map.Entry<Long, Mapped>> at(long iova) {
    return Optional.ofNullable(mapped.floorEntry(iova))
        .filter(entry -> range(entry).contains(iova));
  }

  List<Map.Entry<Long, Mapped>> all() {
    return List.copyOf(mapped.entrySet());
  }
}
