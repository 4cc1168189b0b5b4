package io.github.vfio4j.migration;

import io.github.vfio4j.bindings.vfio_h;
import java.util.Optional;
import java.util.Set;

/** In which state of a migration a device is, by the kernel's names; {@code VFIO_DEVICE_STATE_}. */
public enum DeviceState {
  /** The device has failed; only a reset leads out of this. */
  ERROR(vfio_h.VFIO_DEVICE_STATE_ERROR),

  /** It neither does anything nor changes. */
  STOP(vfio_h.VFIO_DEVICE_STATE_STOP),

  /** It runs as always. */
  RUNNING(vfio_h.VFIO_DEVICE_STATE_RUNNING),

  /** It is stopped, and what is in it is read out. */
  STOP_COPY(vfio_h.VFIO_DEVICE_STATE_STOP_COPY),

  /** It is stopped, and is filled with what another device was. */
  RESUMING(vfio_h.VFIO_DEVICE_STATE_RESUMING),

  /** It runs, but begins no DMA to other devices. */
  RUNNING_P2P(vfio_h.VFIO_DEVICE_STATE_RUNNING_P2P),

  /** It runs, and what is in it is read out as far as it can be. */
  PRE_COPY(vfio_h.VFIO_DEVICE_STATE_PRE_COPY),

  /** It does so, but begins no DMA to other devices. */
  PRE_COPY_P2P(vfio_h.VFIO_DEVICE_STATE_PRE_COPY_P2P);

  private final int number;

  DeviceState(int number) {
    this.number = number;
  }

  /**
   * Returns the kernel's number of the state.
   *
   * @return the value of its {@code VFIO_DEVICE_STATE_}
   */
  public int number() {
    return number;
  }

  /**
   * Finds the state of a number.
   *
   * @param number the kernel's
   * @return the state, or empty for one that is younger than this library
   */
  public static Optional<DeviceState> of(int number) {
    for (DeviceState state : values()) {
      if (state.number == number) {
        return Optional.of(state);
      }
    }
    return Optional.empty();
  }

  /** Returns whether a device that can do so much can be in this state. */
  boolean isOf(Set<MigrationFlag> flags) {
    boolean copiesRunning = this == PRE_COPY || this == PRE_COPY_P2P;
    return (!isPeerToPeerQuiet() || flags.contains(MigrationFlag.P2P))
        && (!copiesRunning || flags.contains(MigrationFlag.PRE_COPY));
  }

  /** Returns whether the device's data is read in it. */
  boolean isSaving() {
    return switch (this) {
      case STOP_COPY, PRE_COPY, PRE_COPY_P2P -> true;
      case ERROR, STOP, RUNNING, RESUMING, RUNNING_P2P -> false;
    };
  }

  /** Returns whether the device's data is read or written in it. */
  boolean hasData() {
    return isSaving() || this == RESUMING;
  }

  /** Returns whether the device runs in it. */
  boolean isRunning() {
    return switch (this) {
      case RUNNING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P -> true;
      case ERROR, STOP, STOP_COPY, RESUMING -> false;
    };
  }

  /** Returns whether DMA to other devices rests in it while the device runs. */
  boolean isPeerToPeerQuiet() {
    return this == RUNNING_P2P || this == PRE_COPY_P2P;
  }
}
