package io.github.vfio4j.nvme;

import java.util.Map;

/**
 * What a controller has told of its own accord. It tells of the same kind again only after the log
 * was read that belongs to it: by {@link LogPages#read}, or by the method of that log.
 *
 * @param kind {@link #ERROR}, {@link #HEALTH}, {@link #NOTICE} or another number
 * @param information what it is, by a number that depends on the kind
 * @param logPage the number of the log that says more
 */
public record AsyncEvent(int kind, int information, int logPage) {
  /** Something went wrong in the controller, or in what it was given; see {@link LogPages}. */
  public static final int ERROR = 0;

  /** The controller's health; see {@link NvmeController#health}. */
  public static final int HEALTH = 1;

  /** Something has changed, for example which namespaces there are. */
  public static final int NOTICE = 2;

  /** Something that ends once it was told of. */
  public static final int IMMEDIATE = 3;

  /** Something that is told of once. */
  public static final int ONE_SHOT = 4;

  /** Something of a command set, for example of zones. */
  public static final int COMMAND_SET = 6;

  /** Something that only its vendor knows. */
  public static final int VENDOR_SPECIFIC = 7;

  /** By kind in the upper byte, and information. */
  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(0x000, "Write to Invalid Doorbell Register"),
          Map.entry(0x001, "Invalid Doorbell Write Value"),
          Map.entry(0x002, "Diagnostic Failure"),
          Map.entry(0x003, "Persistent Internal Error"),
          Map.entry(0x004, "Transient Internal Error"),
          Map.entry(0x005, "Firmware Image Load Error"),
          Map.entry(0x100, "NVM Subsystem Reliability"),
          Map.entry(0x101, "Temperature Threshold"),
          Map.entry(0x102, "Spare Below Threshold"),
          Map.entry(0x200, "Namespace Attribute Changed"),
          Map.entry(0x201, "Firmware Activation Starting"),
          Map.entry(0x202, "Telemetry Log Changed"),
          Map.entry(0x203, "Asymmetric Namespace Access Change"),
          Map.entry(0x204, "Predictable Latency Event Aggregate Log Change"),
          Map.entry(0x205, "LBA Status Information Alert"),
          Map.entry(0x206, "Endurance Group Event Aggregate Log Page Change"),
          Map.entry(0x300, "Normal NVM Subsystem Shutdown"),
          Map.entry(0x301, "Temperature Threshold Hysteresis Recovery"),
          Map.entry(0x600, "Reservation Log Page Available"),
          Map.entry(0x601, "Sanitize Operation Completed"),
          Map.entry(0x602, "Sanitize Operation Completed With Unexpected Deallocation"),
          Map.entry(0x603, "Zone Descriptor Changed"));

  /** Takes apart the first word of a completion. */
  static AsyncEvent parse(int word) {
    return new AsyncEvent(word & 7, word >>> 8 & 0xff, word >>> 16 & 0xff);
  }

  /** Returns the specification's name, or the numbers of an event that has none here. */
  @Override
  public String toString() {
    String name = NAMES.get(kind << 8 | information);
    return name != null ? name : "event 0x%02x of kind %d".formatted(information, kind);
  }
}
