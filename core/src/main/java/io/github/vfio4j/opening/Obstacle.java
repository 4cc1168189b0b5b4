package io.github.vfio4j.opening;

/**
 * What stands in one way to a device.
 *
 * @param seen what was seen
 * @param fix what to do about it, in one line
 */
public record Obstacle(String seen, String fix) {
  /** Returns both in one line. */
  String sentence() {
    return seen + "; " + fix;
  }
}
