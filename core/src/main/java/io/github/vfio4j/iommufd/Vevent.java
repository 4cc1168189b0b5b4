package io.github.vfio4j.iommufd;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * An event that a {@link Viommu} reports to its guest, or the note that events were lost.
 *
 * <p>Sequence numbers rise by one an event and start again at 0 after {@link Integer#MAX_VALUE}: a
 * gap between two events says how many were lost between them.
 */
public final class Vevent {
  private final int sequence;
  private final boolean lostEvents;
  private final byte[] data;

  Vevent(int sequence, boolean lostEvents, byte[] data) {
    this.sequence = sequence;
    this.lostEvents = lostEvents;
    this.data = data;
  }

  /**
   * Returns the event's number.
   *
   * @return from 0 on; where events were lost, the number that the last one of them had
   */
  public int sequence() {
    return sequence;
  }

  /**
   * Returns whether this is no event but the note that the queue was full and events were lost.
   *
   * @return whether {@link #data} is empty for that reason
   */
  public boolean lostEvents() {
    return lostEvents;
  }

  /**
   * Returns the event in the form of its type.
   *
   * @return a fresh array, empty for a note
   */
  public byte[] data() {
    return data.clone();
  }

  /**
   * Returns a part of the event.
   *
   * @param index which double word, from 0
   * @return its 64 bits
   * @throws IndexOutOfBoundsException if the event has no such double word
   */
  public long word(int index) {
    return ByteBuffer.wrap(data).order(LITTLE_ENDIAN).getLong(index * Long.BYTES);
  }

  /** Returns the event in words. */
  @Override
  public String toString() {
    return lostEvents
        ? "events lost up to " + sequence
        : "event " + sequence + ": " + HexFormat.of().formatHex(data);
  }
}
