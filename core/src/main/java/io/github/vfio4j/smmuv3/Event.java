package io.github.vfio4j.smmuv3;

import io.github.vfio4j.iommufd.Vevent;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * An event record of SMMUv3, as a {@link io.github.vfio4j.iommufd.VeventQueue} of {@link
 * io.github.vfio4j.iommufd.VeventQueue#ARM_SMMUV3} delivers it.
 *
 * <p>A method whose field this kind of event does not have answers with nothing.
 *
 * @param word0 the first double word: why, and whose access it was
 * @param word1 the second one: what kind of access
 * @param word2 the third one: the input address
 * @param word3 the fourth one: the address behind it
 */
public record Event(long word0, long word1, long word2, long word3) {
  private static final long IPA = 0xf_ffff_ffff_f000L;

  /**
   * Reads an event of a vIOMMU.
   *
   * @param event the event, which is no note of lost ones
   * @return the record in it
   * @throws IllegalArgumentException if it has not the size of an SMMUv3's event
   */
  public static Event of(Vevent event) {
    if (event.data().length != 4 * Long.BYTES) {
      throw new IllegalArgumentException(event + " is no event record of an SMMUv3");
    }
    return new Event(event.word(0), event.word(1), event.word(2), event.word(3));
  }

  /**
   * Returns the number of the reason.
   *
   * @return from 0 to 255
   */
  public int id() {
    return (int) word0 & 0xff;
  }

  /**
   * Returns why the access failed.
   *
   * @return the reason of {@link #id}
   */
  public EventReason reason() {
    return EventReason.of(id());
  }

  /**
   * Returns whose access it was.
   *
   * @return the guest's stream ID, from 0 to 2^32 - 1
   */
  public long stream() {
    return word0 >>> 32;
  }

  /**
   * Returns which substream it belonged to.
   *
   * @return the substream ID, which is the PASID, or empty for a request without one
   */
  public OptionalInt substream() {
    return bit(word0, 11) ? OptionalInt.of((int) (word0 >>> 12) & 0xf_ffff) : OptionalInt.empty();
  }

  /**
   * Returns which address the device asked for.
   *
   * @return the input address, or empty where the event is about none
   */
  public OptionalLong address() {
    return reason().hasAddress() ? OptionalLong.of(word2) : OptionalLong.empty();
  }

  /**
   * Returns whether the device wanted to write.
   *
   * @return whether it is about an address, and the access to it was a write
   */
  public boolean write() {
    return reason().hasAddress() && !bit(word1, 35);
  }

  /**
   * Returns whether the device wanted to read.
   *
   * @return whether it is about an address, and the access to it was a read
   */
  public boolean read() {
    return reason().hasAddress() && bit(word1, 35);
  }

  /**
   * Returns whether the access was of an instruction.
   *
   * @return whether it is about an address, and the access to it wanted to execute
   */
  public boolean instruction() {
    return reason().hasAddress() && bit(word1, 34);
  }

  /**
   * Returns whether the access was privileged.
   *
   * @return whether it is about an address, and the access to it was not of a user
   */
  public boolean privileged() {
    return reason().hasAddress() && bit(word1, 33);
  }

  /**
   * Returns whether the device waits for the guest's answer.
   *
   * @return whether it is about an address, and the access is stalled
   */
  public boolean stalled() {
    return reason().hasAddress() && bit(word1, 31);
  }

  /**
   * Returns what the SMMU was about to read or write.
   *
   * @return the class, or empty where the event is about no address
   */
  public Optional<EventClass> eventClass() {
    if (!reason().hasAddress()) {
      return Optional.empty();
    }
    return Optional.of(
        switch ((int) (word1 >>> 40) & 3) {
          case 0 -> EventClass.CONTEXT_DESCRIPTOR;
          case 1 -> EventClass.TABLE;
          case 2 -> EventClass.INPUT;
          default -> EventClass.RESERVED;
        });
  }

  /**
   * Returns where the second stage had the fault.
   *
   * @return the intermediate address, which is the guest's physical one, rounded down to 4096; or
   *     empty where the fault was in the guest's own tables
   */
  public OptionalLong intermediateAddress() {
    return reason().hasAddress() && bit(word1, 39)
        ? OptionalLong.of(word3 & IPA)
        : OptionalLong.empty();
  }

  private static boolean bit(long word, int number) {
    return (word >>> number & 1) != 0;
  }

  /** Returns the event in words. */
  @Override
  public String toString() {
    String who = "stream 0x%x".formatted(stream());
    if (substream().isPresent()) {
      who += " substream 0x%x".formatted(substream().getAsInt());
    }
    String what = reason() == EventReason.UNKNOWN ? "event 0x%x".formatted(id()) : reason().name();
    if (!reason().hasAddress()) {
      return what + " of " + who;
    }
    return "%s of %s: %s at 0x%x".formatted(what, who, read() ? "read" : "write", word2);
  }
}
