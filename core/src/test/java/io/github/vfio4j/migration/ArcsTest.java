package io.github.vfio4j.migration;

import static io.github.vfio4j.migration.DeviceState.ERROR;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY_P2P;
import static io.github.vfio4j.migration.DeviceState.RESUMING;
import static io.github.vfio4j.migration.DeviceState.RUNNING;
import static io.github.vfio4j.migration.DeviceState.RUNNING_P2P;
import static io.github.vfio4j.migration.DeviceState.STOP;
import static io.github.vfio4j.migration.DeviceState.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ways that the comments of linux/vfio.h and of the kernel's table describe. */
class ArcsTest {
  private static final Set<MigrationFlag> ALL = EnumSet.allOf(MigrationFlag.class);
  private static final Set<MigrationFlag> LEAST = EnumSet.of(MigrationFlag.STOP_COPY);
  private static final Set<MigrationFlag> NO_P2P =
      EnumSet.of(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY);

  @Test
  void waysLeadOverSeveralArcs() {
    assertThat(Arcs.path(ALL, RUNNING, STOP_COPY).orElseThrow())
        .containsExactly(RUNNING_P2P, STOP, STOP_COPY);
    assertThat(Arcs.path(ALL, PRE_COPY, STOP_COPY).orElseThrow())
        .containsExactly(PRE_COPY_P2P, STOP_COPY);
    assertThat(Arcs.path(ALL, PRE_COPY, RESUMING).orElseThrow())
        .containsExactly(RUNNING, RUNNING_P2P, STOP, RESUMING);
    assertThat(Arcs.path(ALL, RESUMING, PRE_COPY).orElseThrow())
        .containsExactly(STOP, RUNNING_P2P, RUNNING, PRE_COPY);
    assertThat(Arcs.path(ALL, RESUMING, PRE_COPY_P2P).orElseThrow())
        .containsExactly(STOP, RUNNING_P2P, PRE_COPY_P2P);
    assertThat(Arcs.path(ALL, STOP_COPY, RUNNING).orElseThrow())
        .containsExactly(STOP, RUNNING_P2P, RUNNING);
  }

  @Test
  void statesThatTheDeviceDoesNotHaveAreSkipped() {
    assertThat(Arcs.path(LEAST, RUNNING, STOP_COPY).orElseThrow()).containsExactly(STOP, STOP_COPY);
    assertThat(Arcs.path(LEAST, STOP, RUNNING).orElseThrow()).containsExactly(RUNNING);
    assertThat(Arcs.path(NO_P2P, PRE_COPY, STOP_COPY).orElseThrow()).containsExactly(STOP_COPY);
    assertThat(Arcs.path(NO_P2P, PRE_COPY, STOP).orElseThrow()).containsExactly(RUNNING, STOP);
    assertThat(Arcs.path(LEAST, RUNNING, RUNNING_P2P)).isEmpty();
    assertThat(Arcs.path(NO_P2P, RUNNING, PRE_COPY_P2P)).isEmpty();
    assertThat(Arcs.path(LEAST, RUNNING, PRE_COPY)).isEmpty();
  }

  @Test
  void readingAStoppedDeviceDoesNotLeadBackToReadingARunningOne() {
    assertThat(Arcs.path(ALL, STOP_COPY, PRE_COPY)).isEmpty();
    assertThat(Arcs.path(ALL, STOP_COPY, PRE_COPY_P2P)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void noWayLeadsIntoAnErrorOrOutOfIt(DeviceState state) {
    assertThat(Arcs.path(ALL, state, ERROR)).isEmpty();
    if (state != ERROR) {
      assertThat(Arcs.path(ALL, ERROR, state)).isEmpty();
      assertThat(Arcs.path(ALL, state, state).orElseThrow()).isEmpty();
    }
  }

  /** A rule of the header: these states are only at the ends. */
  @ParameterizedTest
  @EnumSource
  void noWayLeadsThroughAStateWithData(DeviceState from) {
    for (DeviceState to : DeviceState.values()) {
      Arcs.path(ALL, from, to)
          .filter(path -> !path.isEmpty())
          .filter(path -> !(from.isSaving() && to.isSaving()))
          .ifPresent(
              path ->
                  assertThat(path.subList(0, path.size() - 1))
                      .as("%s to %s", from, to)
                      .noneMatch(DeviceState::hasData));
    }
  }
}
