package io.github.vfio4j.migration;

import static io.github.vfio4j.fake.FakeMigration.ERROR;
import static io.github.vfio4j.migration.DeviceState.PRE_COPY;
import static io.github.vfio4j.migration.DeviceState.RESUMING;
import static io.github.vfio4j.migration.DeviceState.RUNNING;
import static io.github.vfio4j.migration.DeviceState.RUNNING_P2P;
import static io.github.vfio4j.migration.DeviceState.STOP;
import static io.github.vfio4j.migration.DeviceState.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_precopy_info;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.FakeMigration;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.migration.MigrationException.Outcome;
import io.github.vfio4j.outcome.Step;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What becomes of a device when a part of its migration fails: it is where its user wants it, else
 * it is reset, and its user is told.
 */
class MigrationFailureTest {
  private static final byte[] DATA = {1, 2, 3, 4, 5, 6, 7, 8};
  private static final WritableByteChannel NOWHERE =
      Channels.newChannel(new ByteArrayOutputStream());

  @TempDir Path root;
  private FakeMachine machine;
  private FakeMigration fake;
  private VfioDevice device;
  private Migration migration;

  @BeforeEach
  void openDevice() throws VfioException {
    machine = new FakeMachine(root);
    fake = machine.migration.with(7, DATA).precopy(3);
    device = machine.open(Backend.CONTAINER);
    migration = Migration.of(device);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static ReadableByteChannel source() {
    return Channels.newChannel(new ByteArrayInputStream(DATA));
  }

  private static MigrationException failureOf(ThrowingCallable call) {
    MigrationException failure = catchThrowableOfType(MigrationException.class, call);
    assertThat(failure).isNotNull();
    return failure;
  }

  private static void isTold(MigrationException failure, Outcome outcome, DeviceState now) {
    assertThat(failure.outcome()).as("%s", failure).isEqualTo(outcome);
    assertThat(failure.stateNow()).contains(now);
    assertThat(failure).hasMessageContaining(now.name());
  }

  @Test
  void whereTheDeviceCannotBeReadItIsStopped() {
    fake.failInto(STOP_COPY.number(), Errno.EIO);

    MigrationException failure = failureOf(() -> migration.save(NOWHERE));

    isTold(failure, Outcome.RECOVERED, STOP);
    assertThat(failure.errno()).contains(Errno.EIO);
    assertThat(failure).hasMessageStartingWith("save on " + device.name() + ": EIO: ");
    assertThat(failure).hasCauseInstanceOf(VfioException.class);
    assertThat(fake.state()).isEqualTo(STOP.number());
  }

  @Test
  void whereItCannotBeStoppedEitherItIsReset() {
    fake.failInto(STOP_COPY.number(), Errno.EIO).failInto(STOP.number(), Errno.EIO);

    MigrationException failure = failureOf(() -> migration.save(NOWHERE));

    isTold(failure, Outcome.RESET, RUNNING);
    assertThat(fake.state()).isEqualTo(RUNNING.number());
  }

  @Test
  void whereReadingFailsItIsStopped() {
    fake.failReading(Errno.EIO);

    MigrationException failure = failureOf(() -> migration.save(NOWHERE));

    isTold(failure, Outcome.RECOVERED, STOP);
    assertThat(failure).hasMessageContaining("read on the data of " + device.name());
    assertThat(migration.saving()).isEmpty();
  }

  @Test
  void aStoppedDeviceOfWhichMoreIsToComeIsNotWaitedFor() {
    fake.failReading(Errno.ENOMSG);

    MigrationException failure = failureOf(() -> migration.save(NOWHERE));

    isTold(failure, Outcome.RECOVERED, STOP);
    assertThat(failure.errno()).contains(Errno.ENOMSG);
  }

  @Test
  void whereWritingFailsItIsReset() {
    fake.failWriting(Errno.EFAULT);

    MigrationException failure = failureOf(() -> migration.restore(source()));

    isTold(failure, Outcome.RESET, RUNNING);
    assertThat(failure.errno()).contains(Errno.EFAULT);
    assertThat(migration.resuming()).isEmpty();
  }

  @Test
  void whereTheDataIsNotWholeItIsReset() {
    MigrationException failure =
        failureOf(
            () ->
                migration.restore(
                    Channels.newChannel(new ByteArrayInputStream(DATA, 0, DATA.length - 1))));

    isTold(failure, Outcome.RESET, RUNNING);
    assertThat(failure.errno()).contains(Errno.EINVAL);
  }

  @Test
  void whereTheSourceFailsItIsReset() {
    ReadableByteChannel broken =
        new ReadableByteChannel() {
          @Override
          public int read(ByteBuffer target) throws IOException {
            throw new IOException("connection lost");
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };

    MigrationException failure = failureOf(() -> migration.restore(broken));

    isTold(failure, Outcome.RESET, RUNNING);
    assertThat(failure).hasMessageContaining("connection lost");
    assertThat(failure.errno()).isEmpty();
  }

  @Test
  void whereItCannotBeFilledItGoesOn() {
    fake.failInto(RESUMING.number(), Errno.ENOMEM);

    isTold(failureOf(() -> migration.restore(source())), Outcome.RECOVERED, RUNNING);
    assertThat(fake.state()).isEqualTo(RUNNING.number());
  }

  @Test
  void whereItCannotBeResetItIsLost() {
    fake.failWriting(Errno.EFAULT).failReset(Errno.EIO);

    MigrationException failure = failureOf(() -> migration.restore(source()));

    isTold(failure, Outcome.LOST, RESUMING);
    assertThat(failure.getCause().getSuppressed())
        .anySatisfy(further -> assertThat(further).hasMessageContaining("VFIO_DEVICE_RESET"));
  }

  @Test
  void anErrorOfTheDeviceLeadsToAReset() {
    fake.failInto(STOP_COPY.number(), Errno.EIO).failureLeads(ERROR);

    isTold(failureOf(() -> migration.save(NOWHERE)), Outcome.RESET, RUNNING);
  }

  @Test
  void inAnErrorNothingIsTried() throws VfioException {
    fake.in(ERROR);

    isTold(failureOf(() -> migration.save(NOWHERE)), Outcome.UNCHANGED, DeviceState.ERROR);
    isTold(failureOf(() -> migration.moveTo(STOP)), Outcome.UNCHANGED, DeviceState.ERROR);
    assertThat(fake.asked()).isEmpty();

    migration.reset();
    assertThat(migration.state()).isEqualTo(RUNNING);
  }

  @Test
  void whereARunningDeviceCannotBeReadItRunsOn() {
    fake.failReading(Errno.EIO);

    isTold(failureOf(() -> migration.precopy(NOWHERE)), Outcome.RECOVERED, RUNNING);
  }

  @Test
  void aChangeThatFailsTellsWhereItEnded() {
    fake.failInto(STOP_COPY.number(), Errno.EIO).failureLeads(STOP.number());

    MigrationException failure = failureOf(() -> migration.moveTo(STOP_COPY));

    isTold(failure, Outcome.ON_THE_WAY, STOP);
    fake.failureLeads(ERROR);
    isTold(failureOf(() -> migration.moveTo(STOP_COPY)), Outcome.LOST, DeviceState.ERROR);
  }

  @Test
  void aChangeThatFailsLeadsWhereItsCallerSays() {
    fake.failInto(STOP_COPY.number(), Errno.EIO);

    isTold(
        failureOf(() -> migration.moveTo(STOP_COPY, RUNNING_P2P)), Outcome.RECOVERED, RUNNING_P2P);
    isTold(failureOf(() -> migration.moveTo(STOP_COPY, PRE_COPY)), Outcome.RECOVERED, PRE_COPY);
    assertThat(migration.saving()).isPresent();
  }

  @Test
  void aTargetThatFailsStopsTheDeviceAndTellsWhy() {
    IllegalArgumentException thrown = new IllegalArgumentException("by the listener");

    assertThatThrownBy(
            () ->
                migration.save(
                    NOWHERE,
                    _ -> {
                      throw thrown;
                    }))
        .isSameAs(thrown);

    assertThat(fake.state()).isEqualTo(STOP.number());
    assertThat(thrown.getSuppressed())
        .singleElement()
        .isInstanceOfSatisfying(
            MigrationException.class, told -> isTold(told, Outcome.RECOVERED, STOP));
  }

  @Test
  void anInterruptedThreadStopsAndStaysInterrupted() {
    Thread.currentThread().interrupt();

    MigrationException failure = failureOf(() -> migration.save(NOWHERE));

    assertThat(Thread.interrupted()).isTrue();
    isTold(failure, Outcome.RECOVERED, STOP);
    assertThat(failure).hasCauseInstanceOf(InterruptedIOException.class);
  }

  @Test
  void anotherThreadIsRefusedMeanwhile() throws Exception {
    migration.save(
        NOWHERE,
        _ -> {
          Step[] others = {
            () -> migration.moveTo(RUNNING),
            () -> migration.moveTo(RUNNING, STOP),
            () -> quietly(() -> migration.save(NOWHERE))
          };
          for (Step other : others) {
            assertThatThrownBy(other::run).isInstanceOf(DeviceBusyException.class);
          }
        });
    migration.moveTo(RUNNING);
  }

  private interface Transferring {
    void run() throws IOException;
  }

  private static void quietly(Transferring transfer) throws VfioException {
    try {
      transfer.run();
    } catch (VfioException e) {
      throw e;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void closingTheDeviceEndsATransfer() throws Exception {
    CountDownLatch under = new CountDownLatch(1);
    Thread closing =
        new Thread(
            () -> {
              try {
                under.await();
                device.close();
              } catch (InterruptedException | VfioException e) {
                throw new AssertionError(e);
              }
            });
    closing.start();

    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                migration.save(
                    NOWHERE,
                    _ -> {
                      under.countDown();
                      join(closing);
                    }));
  }

  @Test
  void closingTheMigrationEndsATransferAndTheDeviceIsStopped() {
    MigrationException failure =
        failureOf(
            () ->
                migration.save(
                    NOWHERE,
                    _ -> {
                      try {
                        migration.close();
                      } catch (VfioException e) {
                        throw new AssertionError(e);
                      }
                    }));

    isTold(failure, Outcome.RECOVERED, STOP);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aStateThatNobodyKnowsIsNoState() {
    fake.tell(8);

    assertThatThrownBy(migration::state)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("state 8");
    assertThatThrownBy(() -> migration.save(NOWHERE)).hasMessageContaining("state 8");
    assertThat(fake.asked()).isEmpty();
  }

  @Test
  void whereNobodyKnowsWhereItIsItIsStopped() {
    MigrationException failure =
        failureOf(
            () ->
                migration.save(
                    new Told(
                        () -> {
                          fake.tell(99);
                          throw new IOException("full");
                        })));

    assertThat(failure.outcome()).isEqualTo(Outcome.RECOVERED);
    assertThat(fake.state()).isEqualTo(STOP.number());
  }

  /** A channel that does something at the first piece. */
  private record Told(Transferring then) implements WritableByteChannel {
    @Override
    public int write(ByteBuffer source) throws IOException {
      then.run();
      return source.remaining();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void aFileThatIsWantingIsAFailure() {
    fake.withholdFile();

    isTold(failureOf(() -> migration.save(NOWHERE)), Outcome.RECOVERED, STOP);
    isTold(failureOf(() -> migration.moveTo(RESUMING)), Outcome.ON_THE_WAY, RESUMING);
  }

  @Test
  void aFileThatNobodyAskedForIsClosed() {
    fake.giveStrayFile();

    failureOf(() -> migration.moveTo(STOP));

    assertThat(machine.kernel.leftOpen()).noneMatch(left -> left.contains("data"));
  }

  @Test
  void amountsThatMakeNoSenseAreRefused() throws VfioException {
    migration.moveTo(PRE_COPY);
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.VFIO_MIG_GET_PRECOPY_INFO) {
            vfio_precopy_info.dirty_bytes(reply, -1);
          }
        });

    assertThatThrownBy(migration::precopyInfo)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("18446744073709551615");
  }

  @Test
  void aDeviceThatCannotEvenStopToCopyIsRefused() throws VfioException {
    migration.close();
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.VFIO_DEVICE_FEATURE) {
            reply.asSlice(vfio_device_feature.SIZEOF).fill((byte) 0xfe);
          }
        });

    assertThatThrownBy(() -> Migration.of(device))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("without STOP_COPY");
  }
}
