package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Advanced error reporting: AER.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param uncorrectableStatus which uncorrectable errors there were, a bit each
 * @param uncorrectableMask which of them are not reported
 * @param uncorrectableSeverity which of them are fatal
 * @param correctableStatus which errors were corrected, a bit each
 * @param correctableMask which of them are not reported
 * @param headerLog the header of the packet that the first error is about: four words
 */
public record AerCapability(
    int offset,
    int version,
    int uncorrectableStatus,
    int uncorrectableMask,
    int uncorrectableSeverity,
    int correctableStatus,
    int correctableMask,
    List<Integer> headerLog)
    implements PciCapability {
  static final int ID = 0x01;

  /** Errors that the link cannot correct. */
  public enum Uncorrectable {
    /** Of the protocol of the data link. */
    DATA_LINK_PROTOCOL(4),

    /** The link went down. */
    SURPRISE_DOWN(5),

    /** A packet came marked as broken. */
    POISONED_TLP(12),

    /** Of flow control. */
    FLOW_CONTROL_PROTOCOL(13),

    /** A request was not answered in time. */
    COMPLETION_TIMEOUT(14),

    /** Who was asked gave up. */
    COMPLETER_ABORT(15),

    /** An answer came that nobody waits for. */
    UNEXPECTED_COMPLETION(16),

    /** More came than there was room for. */
    RECEIVER_OVERFLOW(17),

    /** A packet made no sense. */
    MALFORMED_TLP(18),

    /** A check sum was wrong from end to end. */
    ECRC(19),

    /** A request was for nothing that there is. */
    UNSUPPORTED_REQUEST(20),

    /** A request was not allowed. */
    ACS_VIOLATION(21),

    /** Of the device itself. */
    INTERNAL(22),

    /** A multicast packet was not allowed. */
    MC_BLOCKED_TLP(23),

    /** An atomic operation was not let out. */
    ATOMIC_EGRESS_BLOCKED(24),

    /** A packet with a prefix was not let out. */
    TLP_PREFIX_BLOCKED(25),

    /** A packet that is marked as broken was not let out. */
    POISONED_TLP_EGRESS_BLOCKED(26);

    private final int bit;

    Uncorrectable(int bit) {
      this.bit = bit;
    }

    /**
     * Returns which bit stands for it.
     *
     * @return its number
     */
    public int bit() {
      return bit;
    }
  }

  /** Errors that were corrected. */
  public enum Correctable {
    /** Of the receiver. */
    RECEIVER(0),

    /** A packet came broken, and was sent again. */
    BAD_TLP(6),

    /** A packet of the data link came broken. */
    BAD_DLLP(7),

    /** A packet was sent again too often. */
    REPLAY_ROLLOVER(8),

    /** A packet was not acknowledged in time. */
    REPLAY_TIMEOUT(12),

    /** An uncorrectable error that does no harm. */
    ADVISORY_NON_FATAL(13),

    /** Of the device itself. */
    INTERNAL(14),

    /** There was no room to log a header. */
    HEADER_LOG_OVERFLOW(15);

    private final int bit;

    Correctable(int bit) {
      this.bit = bit;
    }

    /**
     * Returns which bit stands for it.
     *
     * @return its number
     */
    public int bit() {
      return bit;
    }
  }

  /** Keeps its own copy of the list. */
  public AerCapability {
    headerLog = List.copyOf(headerLog);
  }

  static AerCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(0x2c);
    List<Integer> header = new ArrayList<>();
    for (int word = 0; word < 4; word++) {
      header.add(bytes.i32(0x1c + word * Integer.BYTES));
    }
    return new AerCapability(
        bytes.offset(),
        bytes.version(),
        bytes.i32(0x04),
        bytes.i32(0x08),
        bytes.i32(0x0c),
        bytes.i32(0x10),
        bytes.i32(0x14),
        header);
  }

  /**
   * Returns which uncorrectable errors there were.
   *
   * @return those of the status that have a name, unmodifiable
   */
  public Set<Uncorrectable> uncorrectable() {
    Set<Uncorrectable> found = EnumSet.noneOf(Uncorrectable.class);
    for (Uncorrectable error : Uncorrectable.values()) {
      if ((uncorrectableStatus >>> error.bit & 1) != 0) {
        found.add(error);
      }
    }
    return Collections.unmodifiableSet(found);
  }

  /**
   * Returns which errors were corrected.
   *
   * @return those of the status that have a name, unmodifiable
   */
  public Set<Correctable> correctable() {
    Set<Correctable> found = EnumSet.noneOf(Correctable.class);
    for (Correctable error : Correctable.values()) {
      if ((correctableStatus >>> error.bit & 1) != 0) {
        found.add(error);
      }
    }
    return Collections.unmodifiableSet(found);
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return true;
  }
}
