package io.github.vfio4j.graphics;

/** The layers of a display; {@code DRM_PLANE_TYPE_}. */
public enum PlaneType {
  /** What may lie over the primary plane. */
  OVERLAY(0),

  /** The frame buffer. */
  PRIMARY(1),

  /** The cursor. */
  CURSOR(2);

  private final int number;

  PlaneType(int number) {
    this.number = number;
  }

  /**
   * Returns the number of the type.
   *
   * @return the kernel's
   */
  public int number() {
    return number;
  }
}
