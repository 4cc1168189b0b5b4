package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.migration.DeviceState.PRE_COPY;
import static io.github.vfio4j.migration.DeviceState.RESUMING;
import static io.github.vfio4j.migration.DeviceState.RUNNING;
import static io.github.vfio4j.migration.DeviceState.RUNNING_P2P;
import static io.github.vfio4j.migration.DeviceState.STOP;
import static io.github.vfio4j.migration.DeviceState.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.migration.DeviceState;
import io.github.vfio4j.migration.KernelStates;
import io.github.vfio4j.migration.Migration;
import io.github.vfio4j.migration.MigrationException;
import io.github.vfio4j.migration.MigrationException.Outcome;
import io.github.vfio4j.migration.MigrationFlag;
import io.github.vfio4j.migration.PrecopyInfo;
import io.github.vfio4j.migration.SavingStream;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The state of a serial port of software, moved to another one. It needs no IOMMU. */
@OnMachine(
    value = {"intel/legacy", "smmuv3", "amd"},
    since = "6.12")
class MigrationTest {
  private static final int HEADER = 24;
  private static final String PENDING = "not read yet";

  private MediatedDevice first;
  private MediatedDevice second;

  @BeforeEach
  void create() throws VfioException {
    first = SerialPort.create();
    second = SerialPort.create(SerialPort.type(), SerialPort.OTHER);
  }

  @AfterEach
  void remove() throws VfioException {
    Sysfs.host().remove(first);
    Sysfs.host().remove(second);
  }

  private static byte[] save(Migration migration) throws IOException {
    ByteArrayOutputStream saved = new ByteArrayOutputStream();
    long bytes = migration.save(Channels.newChannel(saved));
    assertThat(bytes).isEqualTo(saved.size());
    return saved.toByteArray();
  }

  private static long restore(Migration migration, byte... data) throws IOException {
    return migration.restore(Channels.newChannel(new ByteArrayInputStream(data)));
  }

  @EachBackend
  void aStoppedDeviceGoesOnAsAnotherOne(Backend backend) throws IOException {
    try (VfioDevice source = VfioDevice.open(first, backend);
        VfioDevice target = VfioDevice.open(second, backend);
        Migration saving = Migration.of(source);
        Migration restoring = Migration.of(target)) {
      assertThat(saving.flags()).containsExactlyInAnyOrder(MigrationFlag.values());
      SerialPort.fill(source, 0x5a, PENDING);
      SerialPort.fill(target, 0x11, "something else");

      byte[] state = save(saving);

      assertThat(state).hasSize((int) saving.dataSize());
      assertThat(saving.state()).isEqualTo(STOP);
      assertThat(restore(restoring, state)).isEqualTo(state.length);
      assertThat(restoring.state()).isEqualTo(STOP);
      assertThat(save(restoring)).as("all of the state").isEqualTo(state);
      restoring.moveTo(RUNNING);
      assertThat(SerialPort.content(target)).isEqualTo("5a 08 " + PENDING);
      SerialPort.fill(target, 0x33, "it runs");
      assertThat(SerialPort.content(target)).isEqualTo("33 00 it runs");

      saving.moveTo(RUNNING);
      assertThat(SerialPort.content(source)).as("the first one").isEqualTo("5a 08 " + PENDING);
    }
  }

  @EachBackend
  void aRunningDeviceIsReadBeforeItStops(Backend backend) throws IOException {
    ByteArrayOutputStream saved = new ByteArrayOutputStream();
    try (VfioDevice source = VfioDevice.open(first, backend);
        VfioDevice target = VfioDevice.open(second, backend);
        Migration saving = Migration.of(source);
        Migration restoring = Migration.of(target)) {
      SerialPort.fill(source, 0x11, "");
      saving.moveTo(PRE_COPY);
      assertThat(saving.precopyInfo()).isEqualTo(new PrecopyInfo(HEADER, 0, false));

      PrecopyInfo left = saving.precopy(Channels.newChannel(saved));

      assertThat(left.totalBytes()).isZero();
      assertThat(saved.size()).isEqualTo(HEADER);
      assertThat(saving.state()).isEqualTo(PRE_COPY);
      SerialPort.fill(source, 0x5a, PENDING); // it runs
      saving.moveTo(DeviceState.PRE_COPY_P2P);
      assertThat(saving.precopy(Channels.newChannel(saved)).totalBytes()).isZero();
      assertThat(saving.state()).isEqualTo(DeviceState.PRE_COPY_P2P);

      saving.save(Channels.newChannel(saved));

      restore(restoring, saved.toByteArray());
      restoring.moveTo(RUNNING);
      assertThat(SerialPort.content(target)).isEqualTo("5a 08 " + PENDING);
    }
  }

  @EachBackend
  void theSecondFormOfWhatIsLeftIsThereWhereTheKernelHasIt(Backend backend) throws IOException {
    try (VfioDevice source = VfioDevice.open(first, backend);
        Migration saving = Migration.of(source)) {
      if (Machine.kernelIsSince("7.0")) {
        saving.usePrecopyInfoV2();
        saving.moveTo(PRE_COPY);
        assertThat(saving.precopyInfo()).isEqualTo(new PrecopyInfo(HEADER, 0, false));
      } else {
        assertThatThrownBy(saving::usePrecopyInfoV2)
            .isInstanceOf(UnsupportedByKernelException.class);
      }
      saving.moveTo(STOP);
      assertThatThrownBy(saving::precopyInfo).isInstanceOf(IllegalStateException.class);
    }
  }

  /** Whatever the library refuses or promises, the kernel does, too. */
  @Test
  void waysAreThoseOfTheKernel() throws IOException {
    try (VfioDevice device = VfioDevice.open(first);
        Migration migration = Migration.of(device)) {
      for (DeviceState from : migration.states()) {
        for (DeviceState to : DeviceState.values()) {
          if (from != DeviceState.ERROR && from != RESUMING) { // RESUMING wants data at first
            migration.reset();
            migration.moveTo(from);
            boolean foretold = migration.path(from, to).isPresent();

            assertThat(KernelStates.moves(device, to)).as("%s to %s", from, to).isEqualTo(foretold);

            if (foretold) {
              assertThat(migration.state()).isEqualTo(to);
              walks(migration, from, to);
            }
          }
        }
      }
      migration.reset();
    }
  }

  private static void walks(Migration migration, DeviceState from, DeviceState to)
      throws IOException {
    migration.reset();
    migration.moveTo(from);
    List<DeviceState> path = migration.path(from, to).orElseThrow();
    for (DeviceState next : path) {
      assertThat(migration.path(migration.state(), next).orElseThrow()).containsExactly(next);
      migration.moveTo(next);
    }
    assertThat(migration.state()).isEqualTo(to);
    assertThat(migration.saving().isPresent()).isEqualTo(to.name().contains("COPY"));
    assertThat(migration.resuming().isPresent()).isEqualTo(to == RESUMING);
  }

  private static void isResetBy(Migration migration, Errno errno, byte... data) throws IOException {
    MigrationException failure =
        catchThrowableOfType(MigrationException.class, () -> restore(migration, data));
    assertThat(failure).as("%d bytes", data.length).isNotNull();
    assertThat(failure.outcome()).as("%s", failure).isEqualTo(Outcome.RESET);
    assertThat(failure.stateNow()).contains(RUNNING);
    assertThat(failure.errno()).as("%s", failure).contains(errno);
    assertThat(migration.state()).isEqualTo(RUNNING);
  }

  @EachBackend
  void aStreamThatIsCutAnywhereIsRefused(Backend backend) throws IOException {
    try (VfioDevice source = VfioDevice.open(first, backend);
        VfioDevice target = VfioDevice.open(second, backend);
        Migration saving = Migration.of(source);
        Migration restoring = Migration.of(target)) {
      SerialPort.fill(source, 0x5a, PENDING);
      byte[] state = save(saving);

      for (int length = 0; length < state.length; length += 10) {
        isResetBy(restoring, Errno.EINVAL, Arrays.copyOf(state, length));
      }

      isResetBy(restoring, Errno.ENOMEM, Arrays.copyOf(state, state.length + 1));
      byte[] foreign = state.clone();
      foreign[0]++;
      isResetBy(restoring, Errno.EFAULT, foreign);
      restore(restoring, state);
      restoring.moveTo(RUNNING);
      assertThat(SerialPort.content(target)).isEqualTo("5a 08 " + PENDING);
    }
  }

  @EachBackend
  void whereTheDataCannotBeKeptTheDeviceKeepsIt(Backend backend) throws IOException {
    try (VfioDevice source = VfioDevice.open(first, backend);
        Migration saving = Migration.of(source)) {
      SerialPort.fill(source, 0x5a, PENDING);
      OutputStream full =
          new OutputStream() {
            @Override
            public void write(int value) throws IOException {
              throw new IOException("disk full");
            }
          };

      MigrationException failure =
          catchThrowableOfType(
              MigrationException.class, () -> saving.save(Channels.newChannel(full)));

      assertThat(failure.outcome()).isEqualTo(Outcome.RECOVERED);
      assertThat(failure.stateNow()).contains(STOP);
      saving.moveTo(RUNNING);
      assertThat(SerialPort.content(source)).isEqualTo("5a 08 " + PENDING);
    }
  }

  @EachBackend
  void aResetEndsTheStream(Backend backend) throws IOException {
    try (VfioDevice source = VfioDevice.open(first, backend);
        Migration saving = Migration.of(source)) {
      saving.moveTo(STOP_COPY, STOP);
      SavingStream stream = saving.saving().orElseThrow();
      assertThatThrownBy(() -> saving.moveTo(PRE_COPY)).isInstanceOf(MigrationException.class);

      saving.reset();

      assertThat(saving.state()).isEqualTo(RUNNING);
      assertThatThrownBy(() -> stream.read(ByteBuffer.allocate(8)))
          .isInstanceOf(ClosedChannelException.class);
      saving.moveTo(RUNNING_P2P);
      assertThat(stream.isOpen()).isFalse();
      saving.moveTo(RUNNING);
    }
  }

  @EachBackend
  @Bound(Device.EDU)
  void aDeviceThatCannotBeMigratedSaysSo(Backend backend) throws IOException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThatThrownBy(() -> Migration.of(edu)).isInstanceOf(UnsupportedByKernelException.class);
    }
  }
}
