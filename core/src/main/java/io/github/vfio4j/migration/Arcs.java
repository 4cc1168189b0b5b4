package io.github.vfio4j.migration;

import static io.github.vfio4j.migration.DeviceState.ERROR;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY_P2P;
import static io.github.vfio4j.migration.DeviceState.RUNNING;
import static io.github.vfio4j.migration.DeviceState.RUNNING_P2P;
import static io.github.vfio4j.migration.DeviceState.STOP;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which way leads from one state to another, as {@code vfio_mig_get_next_state} of the kernel. */
final class Arcs {
  private Arcs() {}

  /**
   * Finds the way. The kernel walks it by itself when it is asked for the last state.
   *
   * @param flags what the device can do; optional states that it does not have are skipped
   * @return the states after the first one, up to the last; empty if no way leads there
   */
  static Optional<List<DeviceState>> path(
      Set<MigrationFlag> flags, DeviceState from, DeviceState to) {
    List<DeviceState> path = new ArrayList<>();
    if (to == ERROR || !to.isOf(flags)) {
      return Optional.empty();
    }
    for (DeviceState at = from; at != to; ) {
      at = next(at, to);
      if (at == ERROR) {
        return Optional.empty();
      }
      if (at.isOf(flags)) {
        path.add(at);
      }
    }
    return Optional.of(List.copyOf(path));
  }

  /** The next state, or ERROR for none. */
  private static DeviceState next(DeviceState from, DeviceState to) {
    return switch (from) {
      case ERROR -> ERROR;
      case STOP ->
          switch (to) {
            case STOP_COPY, RESUMING -> to;
            default -> RUNNING_P2P;
          };
      case RUNNING -> to == PRE_COPY ? to : RUNNING_P2P;
      case RUNNING_P2P ->
          switch (to) {
            case RUNNING, PRE_COPY -> RUNNING;
            case PRE_COPY_P2P -> to;
            default -> STOP;
          };
      case PRE_COPY ->
          switch (to) {
            case PRE_COPY_P2P, STOP_COPY -> PRE_COPY_P2P;
            default -> RUNNING;
          };
      case PRE_COPY_P2P ->
          switch (to) {
            case PRE_COPY, STOP_COPY -> to;
            default -> RUNNING_P2P;
          };
      case STOP_COPY ->
          switch (to) {
            case PRE_COPY, PRE_COPY_P2P -> ERROR;
            default -> STOP;
          };
      case RESUMING -> STOP;
    };
  }
}
