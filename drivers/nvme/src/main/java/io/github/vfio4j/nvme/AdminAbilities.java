package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import java.time.Duration;

/**
 * Which of the optional commands for its administration a controller has.
 *
 * @param device the controller, for messages
 * @param id its number, by which namespaces are attached to it
 * @param commands the optional admin commands (OACS)
 * @param events those that can be asked for (OAES)
 * @param readsPartsOfLogs whether logs can be read from the middle
 * @param errors how many entries the log of errors has
 * @param savesFeatures whether features can be saved, and asked for as they are saved
 * @param formatsAll whether one namespace cannot be formatted alone
 * @param keepAliveUnit of which the time between signs of life is rounded up to a multiple; zero if
 *     it needs none
 */
record AdminAbilities(
    String device,
    int id,
    int commands,
    int events,
    boolean readsPartsOfLogs,
    int errors,
    boolean savesFeatures,
    boolean formatsAll,
    Duration keepAliveUnit) {
  static final int FORMAT = 1 << 1;
  static final int NAMESPACES = 1 << 3;
  private static final int DOORBELL_BUFFERS = 1 << 8;

  private static final int KEEP_ALIVE_MILLIS = 100;

  /** Takes apart the answer to Identify Controller. */
  static AdminAbilities parse(String device, byte[] answer) {
    Fields fields = new Fields(answer);
    return new AdminAbilities(
        device,
        fields.shortAt(78),
        fields.shortAt(256),
        fields.intAt(92),
        (fields.byteAt(261) & 1 << 2) != 0,
        fields.byteAt(262) + 1,
        (fields.shortAt(520) & 1 << 4) != 0,
        (fields.byteAt(524) & 1) != 0,
        Duration.ofMillis((long) fields.shortAt(320) * KEEP_ALIVE_MILLIS));
  }

  /** Returns whether doorbells can be in memory. */
  boolean hasDoorbellBuffers() {
    return (commands & DOORBELL_BUFFERS) != 0;
  }

  /** Refuses what the controller says that it cannot do. */
  void require(int command, String operation, String what) throws VfioException {
    if ((commands & command) == 0) {
      throw lacking(operation, what);
    }
  }

  VfioException lacking(String operation, String what) {
    return new VfioException(operation, device, null, "the controller does not have " + what);
  }
}
