package io.github.vfio4j.migration;

import static io.github.vfio4j.fake.FakeMigration.PRE_COPY_P2P;
import static io.github.vfio4j.fake.FakeMigration.RUNNING_P2P;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY;
import static io.github.vfio4j.migration.DeviceState.RESUMING;
import static io.github.vfio4j.migration.DeviceState.RUNNING;
import static io.github.vfio4j.migration.DeviceState.STOP;
import static io.github.vfio4j.migration.DeviceState.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.migration.MigrationException.Outcome;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States, saving and restoring, on a device that does as the kernel's header says. */
class MigrationTest {
  private static final int ALL = 7;

  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private final byte[] data = new byte[3_000_000];
  private final ByteArrayOutputStream saved = new ByteArrayOutputStream();

  @BeforeEach
  void openDevice() throws VfioException {
    new SplittableRandom(7).nextBytes(data);
    machine = new FakeMachine(root);
    machine.migration.with(ALL, data);
    device = machine.open(Backend.IOMMUFD);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static ReadableByteChannel channel(byte... bytes) {
    return Channels.newChannel(new ByteArrayInputStream(bytes));
  }

  @Test
  void savesAllWhileTheDeviceIsStopped() throws IOException {
    List<Long> progress = new ArrayList<>();
    try (Migration migration = Migration.of(device)) {
      assertThat(migration.flags()).containsExactlyInAnyOrder(MigrationFlag.values());
      assertThat(migration.dataSize()).isEqualTo(data.length);

      assertThat(migration.save(Channels.newChannel(saved), progress::add)).isEqualTo(data.length);

      assertThat(saved.toByteArray()).isEqualTo(data);
      assertThat(migration.state()).isEqualTo(STOP);
      assertThat(migration.saving()).isEmpty();
      assertThat(progress).isSorted().hasSizeGreaterThan(1).endsWith((long) data.length);
      assertThat(machine.migration.asked()).containsExactly(STOP_COPY.number(), STOP.number());
    }
  }

  @Test
  void restoresAllInPiecesOfAnySize() throws IOException {
    machine.migration.inPiecesOf(77_777);
    try (Migration migration = Migration.of(device)) {
      assertThat(migration.restore(channel(data))).isEqualTo(data.length);

      assertThat(machine.migration.received()).isEqualTo(data);
      assertThat(migration.state()).isEqualTo(STOP);
      migration.moveTo(RUNNING);
      assertThat(migration.state()).isEqualTo(RUNNING);
    }
  }

  @Test
  void savesFirstWhatItCanOfARunningDevice() throws IOException {
    machine.migration.precopy(1_500_000).inPiecesOf(400_000);
    try (Migration migration = Migration.of(device)) {
      migration.moveTo(PRE_COPY);
      assertThat(migration.precopyInfo()).isEqualTo(new PrecopyInfo(1_500_000, 0, false));

      PrecopyInfo left = migration.precopy(Channels.newChannel(saved));

      assertThat(left.totalBytes()).isZero();
      assertThat(saved.size()).isEqualTo(1_500_000);
      assertThat(migration.state()).isEqualTo(PRE_COPY);
      migration.save(Channels.newChannel(saved));
      assertThat(saved.toByteArray()).isEqualTo(data);
      assertThat(machine.migration.asked())
          .containsExactly(PRE_COPY.number(), STOP_COPY.number(), STOP.number());
    }
  }

  @Test
  void dmaToOtherDevicesStaysQuietWhileARunningDeviceIsRead() throws IOException {
    machine.migration.precopy(100).in(RUNNING_P2P);
    try (Migration migration = Migration.of(device)) {
      migration.precopy(Channels.newChannel(saved));

      assertThat(machine.migration.state()).isEqualTo(PRE_COPY_P2P);
    }
  }

  @Test
  void tellsOfNewInitialDataOnlyWhereThatMeansAnything() throws IOException {
    machine.migration.precopy(10).precopyTells(5, 1);
    try (Migration migration = Migration.of(device)) {
      migration.moveTo(PRE_COPY);
      assertThat(migration.precopyInfo()).isEqualTo(new PrecopyInfo(10, 5, false));

      migration.usePrecopyInfoV2();

      assertThat(migration.precopyInfo()).isEqualTo(new PrecopyInfo(10, 5, true));
      machine.migration.precopyTells(5, -2);
      assertThat(migration.precopyInfo().reinit()).isFalse();
    }
  }

  @Test
  void onePassOverABusyDeviceEnds() throws IOException {
    machine.migration.precopy(1000).precopyTells(Integer.MAX_VALUE, 0);
    try (Migration migration = Migration.of(device)) {
      assertThat(migration.precopy(Channels.newChannel(saved)).dirtyBytes())
          .isEqualTo(Integer.MAX_VALUE);
      assertThat(saved.size()).isEqualTo(1000);
    }
  }

  @Test
  void streamsCanBePacedByTheirUser() throws IOException {
    machine.migration.precopy(4);
    try (Migration migration = Migration.of(device)) {
      migration.moveTo(PRE_COPY);
      SavingStream stream = migration.saving().orElseThrow();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(stream.read(buffer)).isEqualTo(4);
      assertThat(stream.read(buffer)).as("nothing more yet").isZero();
      migration.moveTo(STOP_COPY);
      assertThat(stream.isOpen()).isTrue();
      assertThat(stream.read(buffer)).isEqualTo(6);
      assertThat(stream.read(buffer)).as("no room").isZero();
      assertThat(buffer.array()).isEqualTo(Arrays.copyOf(data, 10));
      ByteBuffer direct = ByteBuffer.allocateDirect(data.length);
      assertThat(stream.read(direct)).isEqualTo(1 << 20);
      while (stream.read(direct.clear()) >= 0) {}
      buffer.clear();
      assertThat(stream.read(buffer)).isEqualTo(-1);
      migration.moveTo(STOP);
      assertThat(stream.isOpen()).isFalse();
      assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> stream.read(buffer));

      migration.moveTo(RESUMING);
      ResumingStream into = migration.resuming().orElseThrow();
      ByteBuffer all = ByteBuffer.wrap(data);
      while (all.hasRemaining()) {
        into.write(all);
      }
      migration.moveTo(RUNNING);
      assertThat(machine.migration.received()).isEqualTo(data);
      assertThat(into.isOpen()).isFalse();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stream.read(ByteBuffer.allocate(1).asReadOnlyBuffer()));
    }
  }

  @Test
  void whereNoWayLeadsTheKernelIsNotAsked() throws VfioException {
    try (Migration migration = Migration.of(device)) {
      migration.moveTo(STOP_COPY);
      machine.migration.asked().clear();

      assertThatExceptionOfType(MigrationException.class)
          .isThrownBy(() -> migration.moveTo(PRE_COPY))
          .withMessageContaining("no way leads from STOP_COPY to PRE_COPY")
          .satisfies(
              refused -> {
                assertThat(refused.outcome()).isEqualTo(Outcome.UNCHANGED);
                assertThat(refused.stateNow()).contains(STOP_COPY);
              });
      assertThatExceptionOfType(MigrationException.class)
          .isThrownBy(() -> migration.precopy(Channels.newChannel(saved)));
      assertThatIllegalArgumentException().isThrownBy(() -> migration.moveTo(DeviceState.ERROR));
      assertThat(machine.migration.asked()).isEmpty();
    }
  }

  @Test
  void statesThatTheDeviceDoesNotHaveAreRefused() throws VfioException {
    machine.migration.with(1);
    try (Migration migration = Migration.of(device)) {
      assertThat(migration.states())
          .containsExactly(DeviceState.ERROR, STOP, RUNNING, STOP_COPY, RESUMING);
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> migration.moveTo(PRE_COPY));
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> migration.precopy(Channels.newChannel(saved)));
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(migration::usePrecopyInfoV2);
      assertThatIllegalStateException().isThrownBy(migration::precopyInfo);
      assertThat(machine.migration.asked()).isEmpty();
    }
  }

  @Test
  void aDeviceThatCannotBeMigratedSaysSo() throws VfioException {
    machine.migration.with(0);
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> Migration.of(device))
        .withMessageContaining("MIGRATION of " + device.name());
  }

  @Test
  void oneAtATime() throws VfioException {
    Migration first = Migration.of(device);
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(() -> Migration.of(device));
    first.close();
    first.close();
    assertThatIllegalStateException().isThrownBy(first::state);
    Migration.of(device).close();
  }

  @Test
  void endsWithTheDevice() throws IOException {
    Migration migration = Migration.of(device);
    migration.moveTo(STOP_COPY);
    SavingStream stream = migration.saving().orElseThrow();

    device.close();

    assertThat(stream.isOpen()).isFalse();
    assertThat(machine.kernel.leftOpen()).isEmpty();
    assertThatIllegalStateException().isThrownBy(migration::state);
    assertThatIllegalStateException().isThrownBy(() -> migration.moveTo(STOP));
    assertThatIllegalStateException().isThrownBy(() -> migration.save(Channels.newChannel(saved)));
    assertThatIllegalStateException().isThrownBy(() -> Migration.of(device));
    migration.close();
  }

  @Test
  void aChannelThatDoesNotBlockIsRefused() throws IOException {
    Pipe pipe = Pipe.open();
    try (var source = pipe.source();
        var sink = pipe.sink();
        Migration migration = Migration.of(device)) {
      sink.configureBlocking(false);
      source.configureBlocking(false);
      assertThatExceptionOfType(IllegalBlockingModeException.class)
          .isThrownBy(() -> migration.save(sink));
      assertThatExceptionOfType(IllegalBlockingModeException.class)
          .isThrownBy(() -> migration.precopy(sink));
      assertThatExceptionOfType(IllegalBlockingModeException.class)
          .isThrownBy(() -> migration.restore(source));
      assertThat(machine.migration.asked()).isEmpty();
    }
  }

  @Test
  void manyMigrationsLeaveNothing() throws IOException {
    machine.migration.with(ALL, (byte) 1, (byte) 2);
    for (int i = 0; i < 50; i++) {
      try (Migration migration = Migration.of(device)) {
        migration.save(Channels.newChannel(saved));
        migration.moveTo(RUNNING);
      }
    }
    assertThat(saved.size()).isEqualTo(100);
  }

  @Test
  void everyCallThatFailsLeavesNothing() throws IOException {
    machine.migration.with(ALL, (byte) 1, (byte) 2).precopy(1);
    for (int n = 1; ; n++) {
      machine.kernel.failCall(n, Errno.EMFILE);
      try (Migration migration = Migration.of(device)) {
        migration.precopy(Channels.newChannel(saved));
        migration.save(Channels.newChannel(saved));
        migration.restore(channel((byte) 1, (byte) 2));
      } catch (VfioException e) {
        // the next call fails in the next round
      }
      if (!machine.kernel.hasFailed()) {
        machine.kernel.failCall(0, Errno.EMFILE); // none from now on
        break;
      }
      machine.migration.in(RUNNING.number());
      assertThat(machine.kernel.leftOpen()).noneMatch(left -> left.contains("data"));
    }
  }
}
