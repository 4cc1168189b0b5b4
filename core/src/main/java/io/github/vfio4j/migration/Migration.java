package io.github.vfio4j.migration;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.migration.MigrationException.Outcome;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.Step;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The migration of a device: its states, and what is in it, saved from one device and restored to
 * another of the same kind; version 2 of VFIO's protocol, of Linux 5.18.
 *
 * <p>{@link #save} and {@link #restore} do the whole; {@link #precopy} reads what can be read while
 * the device still runs. {@link #moveTo} with {@link #saving} and {@link #resuming} are the same
 * piece by piece. The memory that the device writes by DMA is not part of it: its owner moves it,
 * and {@link DmaLog} or the IOMMU's dirty bits tell what has changed.
 *
 * <p>A device has one such object at a time. It ends with the device; closing it closes the stream
 * of data and leaves the device in its state. All methods may be called from any thread; while data
 * is transferred, nothing else is transferred and no state changed. Once it or its device is
 * closed, methods that ask the kernel throw {@link IllegalStateException}.
 *
 * <p>A {@linkplain #reset reset} leads out of every state to RUNNING, and ends a transfer.
 */
public final class Migration implements AutoCloseable {
  /** What is done while no other transfer or change of state is. */
  @FunctionalInterface
  private interface Work {
    void run() throws IOException;
  }

  private final OpenDevice device;
  private final StateFeature feature;
  private final Set<MigrationFlag> flags;
  private @Nullable DataFile data;
  private boolean v2;
  private boolean transferring;
  private boolean closed;

  private Migration(OpenDevice device, StateFeature feature, Set<MigrationFlag> flags) {
    this.device = device;
    this.feature = feature;
    this.flags = flags;
  }

  /**
   * Looks at what the migration of a device can do; {@code VFIO_DEVICE_FEATURE_MIGRATION}.
   *
   * @param device the device
   * @return its migration; the caller closes it, or the device does
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws DeviceBusyException if it has such an object already
   * @throws UnsupportedByKernelException if the device cannot be migrated
   * @throws VfioException if the kernel refuses to tell
   */
  public static Migration of(VfioDevice device) throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    StateFeature feature = new StateFeature(engine);
    try (Rollback rollback = new Rollback()) {
      Migration migration = new Migration(engine, feature, feature.flags());
      if (!engine.ownOne(Ending.BEFORE, migration, migration::close)) {
        throw new DeviceBusyException(
            "migrate", engine.name(), null, "it has a Migration already, which is not closed");
      }
      rollback.add(migration::close);
      return rollback.done(migration);
    }
  }

  /**
   * Returns what the migration of the device can do.
   *
   * @return the flags, unmodifiable
   */
  public Set<MigrationFlag> flags() {
    return flags;
  }

  /**
   * Returns in which states the device can be.
   *
   * @return the states, ERROR among them, which it only falls into
   */
  public Set<DeviceState> states() {
    Set<DeviceState> states = EnumSet.noneOf(DeviceState.class);
    for (DeviceState state : DeviceState.values()) {
      if (state.isOf(flags)) {
        states.add(state);
      }
    }
    return states;
  }

  /**
   * Finds the way from one state to another: one arc, or several. The kernel walks it whole for one
   * call of {@link #moveTo}.
   *
   * @param from where the device is
   * @param to where it is to be
   * @return the states after the first, up to the last; none if both are the same; empty where no
   *     way leads there: into and out of ERROR, to states that the device does not have, and from
   *     STOP_COPY back to PRE_COPY
   */
  public Optional<List<DeviceState>> path(DeviceState from, DeviceState to) {
    return Arcs.path(flags, from, to);
  }

  /**
   * Asks in which state the device is; {@code VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE}.
   *
   * @return the state
   * @throws VfioException if the kernel refuses, or tells a state that is not known here
   */
  public synchronized DeviceState state() throws VfioException {
    requireOpen();
    return feature.state();
  }

  /**
   * Asks how much would have to be read of the stopped device; {@code
   * VFIO_DEVICE_FEATURE_MIG_DATA_SIZE}.
   *
   * @return bytes, as the driver guesses
   * @throws UnsupportedByKernelException if this kernel cannot tell: Linux 6.2 was the first
   * @throws VfioException if the kernel refuses
   */
  public synchronized long dataSize() throws VfioException {
    requireOpen();
    return feature.dataSize();
  }

  /**
   * Moves the device to a state; {@code VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE}. What no way leads to
   * is refused before the kernel is asked. Reaching PRE_COPY, STOP_COPY or RESUMING opens a stream,
   * leaving them closes it. In the state in which it is already, nothing happens.
   *
   * @param to the state
   * @throws IllegalArgumentException if it is ERROR
   * @throws DeviceBusyException if data is being transferred
   * @throws UnsupportedByKernelException if the device does not have the state
   * @throws MigrationException if no way leads there, or the kernel refuses; it tells where the
   *     device is then
   * @throws VfioException if the kernel does not tell in which state the device is
   */
  public synchronized void moveTo(DeviceState to) throws VfioException {
    requireFree("move");
    change(to);
  }

  /**
   * Moves the device to a state as {@link #moveTo(DeviceState)} does, and if that fails on the way,
   * to another one; if that fails, too, resets it.
   *
   * @param to the state
   * @param otherwise where the device shall be after a failure
   * @throws IllegalArgumentException if one of them is ERROR
   * @throws DeviceBusyException if data is being transferred
   * @throws UnsupportedByKernelException if the device does not have one of the states
   * @throws MigrationException if no way leads there, and the device is {@linkplain
   *     Outcome#UNCHANGED as it was}; or if the kernel refuses, and it tells where the device is
   *     now
   * @throws VfioException if the kernel does not tell in which state the device is
   */
  public synchronized void moveTo(DeviceState to, DeviceState otherwise) throws VfioException {
    requireFree("move");
    requireState(otherwise);
    requirePath("move", to);
    try {
      change(to);
    } catch (VfioException e) {
      throw recovered("move", e, otherwise);
    }
  }

  /**
   * Returns the data of the device while it is saved: from PRE_COPY or STOP_COPY on.
   *
   * @return the stream, or empty in other states
   */
  public synchronized Optional<SavingStream> saving() {
    return Optional.ofNullable(data).filter(DataFile::isSaving).map(SavingStream::new);
  }

  /**
   * Returns what takes the data for the device while it is restored: from RESUMING on.
   *
   * @return the stream, or empty in other states
   */
  public synchronized Optional<ResumingStream> resuming() {
    return Optional.ofNullable(data).filter(file -> !file.isSaving()).map(ResumingStream::new);
  }

  /**
   * Has {@link PrecopyInfo#reinit} told from now on, until the device is closed; {@code
   * VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2}. Before, drivers may say anything there, which is not
   * handed on.
   *
   * @throws UnsupportedByKernelException if this kernel does not have it, or the device no PRE_COPY
   * @throws VfioException if the kernel refuses
   */
  public synchronized void usePrecopyInfoV2() throws VfioException {
    requireOpen();
    if (!flags.contains(MigrationFlag.PRE_COPY)) {
      throw new UnsupportedByKernelException(
          DeviceFeature.MIG_PRECOPY_INFOv2.name(), device.name(), null, "it has no PRE_COPY");
    }
    feature.usePrecopyInfoV2();
    v2 = true;
  }

  /**
   * Asks how much there is to read of the running device; {@code VFIO_MIG_GET_PRECOPY_INFO}.
   *
   * @return the driver's guess
   * @throws IllegalStateException if nothing is being saved, or the stream was closed
   * @throws VfioException if the kernel refuses; EINVAL says that the device is not in PRE_COPY
   */
  public synchronized PrecopyInfo precopyInfo() throws VfioException {
    requireOpen();
    return saved().precopyInfo(v2);
  }

  private DataFile saved() {
    if (data == null || !data.isSaving()) {
      throw new IllegalStateException("nothing of " + device.name() + " is being saved");
    }
    return data;
  }

  private DataFile resumed() {
    if (data == null || data.isSaving()) {
      throw new IllegalStateException(device.name() + " is not being restored");
    }
    return data;
  }

  /**
   * Reads what there is to read while the device goes on running, without telling of progress.
   *
   * @param target where the data goes
   * @return what there is to read next
   * @throws java.nio.channels.IllegalBlockingModeException as {@link #precopy(WritableByteChannel,
   *     LongConsumer)}
   * @throws IOException as {@link #precopy(WritableByteChannel, LongConsumer)}
   */
  public PrecopyInfo precopy(WritableByteChannel target) throws IOException {
    return precopy(target, _ -> {});
  }

  /**
   * Reads what there is to read while the device goes on running: once all that it has now. It is
   * moved to PRE_COPY at first, or to PRE_COPY_P2P from RUNNING_P2P. Call it again until there is
   * little left, and then {@link #save}, with the same target.
   *
   * @param target where the data goes, a channel that blocks
   * @param progress is told after each piece how many bytes this call has carried
   * @return what there is to read next
   * @throws java.nio.channels.IllegalBlockingModeException if the channel does not block
   * @throws DeviceBusyException if data is being transferred
   * @throws UnsupportedByKernelException if the device has no PRE_COPY
   * @throws MigrationException if the device is not running, and nothing has changed; or if reading
   *     it or writing to the channel fails, or the thread is interrupted: the device is brought
   *     back to RUNNING then, or else reset
   * @throws IOException if the kernel does not tell in which state the device is
   */
  public PrecopyInfo precopy(WritableByteChannel target, LongConsumer progress) throws IOException {
    Transfer.requireBlocking(target);
    Transfer transfer = new Transfer(progress);
    PrecopyInfo[] left = new PrecopyInfo[1];
    DeviceState from = begin("precopy", DeviceState.PRE_COPY);
    DeviceState to = from.isPeerToPeerQuiet() ? DeviceState.PRE_COPY_P2P : DeviceState.PRE_COPY;
    run(
        "precopy",
        DeviceState.RUNNING,
        () -> {
          DataFile file = open(to, true);
          transfer.drain(file, target, file.precopyInfo(v2).totalBytes());
          left[0] = file.precopyInfo(v2);
        });
    return left[0];
  }

  /**
   * Saves the device without telling of progress.
   *
   * @param target where the data goes
   * @return how many bytes it were
   * @throws java.nio.channels.IllegalBlockingModeException as {@link #save(WritableByteChannel,
   *     LongConsumer)}
   * @throws IOException as {@link #save(WritableByteChannel, LongConsumer)}
   */
  public long save(WritableByteChannel target) throws IOException {
    return save(target, _ -> {});
  }

  /**
   * Stops the device and saves what is in it, or what {@link #precopy} has left of it: it is moved
   * to STOP_COPY, read to the end, and moved to STOP, where it stays.
   *
   * @param target where the data goes, a channel that blocks
   * @param progress is told after each piece how many bytes this call has carried
   * @return how many bytes it were
   * @throws java.nio.channels.IllegalBlockingModeException if the channel does not block
   * @throws DeviceBusyException if data is being transferred
   * @throws MigrationException if no way leads to STOP_COPY, and nothing has changed; or if the
   *     device does not stop, reading it or writing to the channel fails, or the thread is
   *     interrupted: the device is brought to STOP then, or else reset
   * @throws IOException if the kernel does not tell in which state the device is
   */
  public long save(WritableByteChannel target, LongConsumer progress) throws IOException {
    Transfer.requireBlocking(target);
    Transfer transfer = new Transfer(progress);
    begin("save", DeviceState.STOP_COPY);
    run(
        "save",
        DeviceState.STOP,
        () -> {
          transfer.drain(open(DeviceState.STOP_COPY, true), target);
          change(DeviceState.STOP);
        });
    return transfer.bytes();
  }

  /**
   * Restores the device without telling of progress.
   *
   * @param source where the data comes from
   * @return how many bytes it were
   * @throws java.nio.channels.IllegalBlockingModeException as {@link #restore(ReadableByteChannel,
   *     LongConsumer)}
   * @throws IOException as {@link #restore(ReadableByteChannel, LongConsumer)}
   */
  public long restore(ReadableByteChannel source) throws IOException {
    return restore(source, _ -> {});
  }

  /**
   * Makes the device what another one was when it was saved: it is moved to RESUMING, given all
   * that the source has, up to its end, and moved to STOP, where it stays; {@link #moveTo} RUNNING
   * lets it go on. The driver checks the data.
   *
   * @param source where the data comes from, a channel that blocks
   * @param progress is told after each piece how many bytes this call has carried
   * @return how many bytes it were
   * @throws java.nio.channels.IllegalBlockingModeException if the channel does not block
   * @throws DeviceBusyException if data is being transferred
   * @throws MigrationException if no way leads to RESUMING, and nothing has changed; or if the
   *     source cannot be read, the driver refuses the data or finds it incomplete, or the thread is
   *     interrupted: nothing but a reset leads out of a broken restoring, and it is reset then
   * @throws IOException if the kernel does not tell in which state the device is
   */
  public long restore(ReadableByteChannel source, LongConsumer progress) throws IOException {
    Transfer.requireBlocking(source);
    Transfer transfer = new Transfer(progress);
    DeviceState from = begin("restore", DeviceState.RESUMING);
    run(
        "restore",
        from.isRunning() ? DeviceState.RUNNING : DeviceState.STOP,
        () -> {
          transfer.fill(open(DeviceState.RESUMING, false), source);
          change(DeviceState.STOP);
        });
    return transfer.bytes();
  }

  /**
   * Begins a transfer, unless there is one or the device cannot get there.
   *
   * @return in which state it is
   */
  private synchronized DeviceState begin(String operation, DeviceState to) throws VfioException {
    requireFree(operation);
    DeviceState from = requirePath(operation, to);
    if (to == DeviceState.PRE_COPY && !from.isRunning()) {
      throw new MigrationException(
          operation, device.name(), null, "it does not run", from, Outcome.UNCHANGED);
    }
    transferring = true;
    return from;
  }

  /** Does the transfer, and brings the device back if it fails, whatever is thrown. */
  private void run(String operation, DeviceState otherwise, Work work) throws IOException {
    try {
      work.run();
    } catch (IOException e) {
      throw recovered(operation, e, otherwise);
    } catch (RuntimeException | Error e) {
      try {
        e.addSuppressed(recovered(operation, e, otherwise));
      } catch (RuntimeException | Error further) {
        e.addSuppressed(further);
      }
      throw e;
    } finally {
      end();
    }
  }

  private synchronized void end() {
    transferring = false;
  }

  /** Moves the device to where its data is read or written. */
  private synchronized DataFile open(DeviceState to, boolean saving) throws VfioException {
    change(to);
    return saving ? saved() : resumed();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
    device.channel();
  }

  private void requireFree(String operation) throws VfioException {
    requireOpen();
    if (transferring) {
      throw new DeviceBusyException(
          operation, device.name(), null, "its data is being transferred");
    }
  }

  private void requireState(DeviceState state) throws VfioException {
    if (state == DeviceState.ERROR) {
      throw new IllegalArgumentException("no device is moved to ERROR");
    }
    if (!state.isOf(flags)) {
      throw new UnsupportedByKernelException(
          DeviceFeature.MIG_DEVICE_STATE.name(),
          device.name(),
          null,
          "it has no " + state + ", only " + flags);
    }
  }

  /** Returns where the device is, if a way leads from there. */
  private DeviceState requirePath(String operation, DeviceState to) throws VfioException {
    requireState(to);
    DeviceState from = feature.state();
    if (path(from, to).isEmpty()) {
      throw new MigrationException(
          operation,
          device.name(),
          null,
          from == DeviceState.ERROR
              ? "only a reset leads out of ERROR"
              : "no way leads from %s to %s but by RUNNING".formatted(from, to),
          from,
          Outcome.UNCHANGED);
    }
    return from;
  }

  /** Moves the device, and opens and closes streams with it. */
  private synchronized void change(DeviceState to) throws VfioException {
    DeviceState from = requirePath("move", to);
    if (from == to && (data != null || !to.hasData())) {
      return;
    }
    if (from == to) {
      throw new MigrationException(
          "move",
          device.name(),
          null,
          "it is there already, by another object that has its stream: reset it, or go by STOP",
          from,
          Outcome.UNCHANGED);
    }
    if (!to.hasData()) {
      attempt(from, () -> feature.set(to));
      closeUnless(to);
      return;
    }
    boolean fileExpected = data == null || !data.serves(to) || !from.hasData();
    try (Rollback rollback = new Rollback()) {
      DataFile fresh = DataFile.prepare(rollback, device.kernel(), device.name(), to.isSaving());
      if (closed) {
        throw new IllegalStateException(this + " is closed");
      }
      boolean[] opened = new boolean[1];
      attempt(
          from,
          () -> {
            opened[0] = feature.set(to, fresh::take);
            if (fileExpected && !opened[0]) {
              throw feature.impossible("no file of data in state " + to);
            }
          });
      if (opened[0]) {
        closeUnless(null);
        data = rollback.done(fresh);
      }
    }
  }

  private void attempt(DeviceState from, Step step) throws VfioException {
    try {
      step.run();
    } catch (VfioException e) {
      throw failed(from, e);
    }
  }

  /** Describes a change that failed, and closes a stream that it has ended. */
  private MigrationException failed(DeviceState from, VfioException failure) {
    DeviceState now = stateAfter(failure);
    Outcome outcome =
        now == from
            ? Outcome.UNCHANGED
            : now == null || now == DeviceState.ERROR ? Outcome.LOST : Outcome.ON_THE_WAY;
    return MigrationException.of("move", device.name(), failure, now, outcome);
  }

  /** Asks where a failure has left the device; null if nobody tells. */
  private @Nullable DeviceState stateAfter(Throwable failure) {
    try {
      DeviceState now = feature.state();
      closeUnless(now);
      return now;
    } catch (VfioException | IllegalStateException e) {
      failure.addSuppressed(e);
      return null;
    }
  }

  /** Closes the stream, unless it is of use in a state. */
  private void closeUnless(@Nullable DeviceState state) throws VfioException {
    DataFile former = data;
    if (former != null && (state == null || !former.serves(state))) {
      data = null;
      former.close();
    }
  }

  /** Brings the device to a state, or else resets it, and describes what has become of it. */
  private synchronized MigrationException recovered(
      String operation, Throwable failure, DeviceState otherwise) {
    if (device.isClosed()) {
      throw new IllegalStateException(device.name() + " is closed", failure);
    }
    Throwable cause =
        failure instanceof MigrationException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    boolean restoring = data != null && !data.isSaving();
    DeviceState now = stateAfter(cause);
    boolean there = now == otherwise || (!restoring && moved(now, otherwise, cause));
    Outcome outcome = there ? Outcome.RECOVERED : wasReset(cause) ? Outcome.RESET : Outcome.LOST;
    return MigrationException.of(operation, device.name(), cause, stateAfter(cause), outcome);
  }

  /** Moves the device to where it shall be after a failure, even if nobody knows where it is. */
  private boolean moved(@Nullable DeviceState from, DeviceState to, Throwable cause) {
    try {
      if (from == null) {
        feature.set(to);
      } else {
        change(to);
      }
      return true;
    } catch (VfioException | IllegalStateException e) {
      cause.addSuppressed(e);
      return false;
    }
  }

  private boolean wasReset(Throwable cause) {
    try {
      device.reset();
      return true;
    } catch (VfioException | IllegalStateException e) {
      cause.addSuppressed(e);
      return false;
    }
  }

  /**
   * Resets the device, which is RUNNING then and has lost what was in it; {@code
   * VFIO_DEVICE_RESET}. Every device that can be migrated has this reset, even if its driver does
   * not say so.
   *
   * @throws DeviceBusyException if data is being transferred
   * @throws VfioException if the kernel refuses
   */
  public synchronized void reset() throws VfioException {
    requireFree("reset");
    device.reset();
    closeUnless(null);
  }

  /**
   * Closes the stream of data. The device stays in its state; a transfer that is under way in
   * another thread fails, and brings it back. Later calls do nothing.
   *
   * @throws VfioException if the kernel reports an error; it is closed all the same
   */
  @Override
  public synchronized void close() throws VfioException {
    closed = true;
    device.disown(this);
    Closing closing = new Closing();
    closing.attempt(() -> closeUnless(null));
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "the migration of " + device.name();
  }
}
