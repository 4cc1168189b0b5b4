package io.github.vfio4j.cli.vm;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** A machine without processors: a test says what the guest does, and when. */
final class FakeMachine implements Machine {
  final CompletableFuture<Ending> ending = new CompletableFuture<>();
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private @Nullable String setup;
  private @Nullable OutputStream console;
  private final List<String> devices = new ArrayList<>();
  private volatile boolean tracking;
  private boolean closed;

  /** What the command calls to turn it on. */
  Machine boot(MachineSetup wanted, OutputStream out) {
    setup = wanted.toString();
    console = out;
    return this;
  }

  /** Returns what it was to be, or null if it was not turned on. */
  @Nullable String setup() {
    return setup;
  }

  OutputStream console() {
    return Objects.requireNonNull(console);
  }

  @Override
  public Ending await() throws InterruptedException {
    try {
      return ending.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public synchronized void type(byte... typed) {
    if (closed) {
      throw new IllegalStateException("it is closed");
    }
    heard.writeBytes(typed);
    notifyAll();
  }

  /** Waits until so much was typed, and returns it. */
  synchronized String hear(int length) throws InterruptedException {
    while (heard.size() < length) {
      wait();
    }
    return heard.toString(StandardCharsets.UTF_8);
  }

  @Override
  public synchronized List<String> devices() {
    return List.copyOf(devices);
  }

  @Override
  public synchronized void plug(DeviceSetup device) {
    devices.add(device.name());
  }

  @Override
  public synchronized void unplug(String name, Duration patience) throws VfioException {
    if (!devices.remove(name)) {
      throw new VfioException("unplug", name, null, "the machine has no device\nof this name");
    }
  }

  @Override
  public long addMemory(long bytes) {
    return bytes << 4;
  }

  @Override
  public void removeMemory(long address, Duration patience) {
    throw new IllegalArgumentException("no memory was added at " + address);
  }

  @Override
  public void setDirtyTracking(boolean on) {
    tracking = on;
  }

  @Override
  public List<DirtyBitmap> readAndClearDirty() {
    if (!tracking) {
      throw new IllegalStateException("it is not noted");
    }
    DirtyBitmap low = new DirtyBitmap(0, 64 << 10, 4096);
    low.add(4096, 8192);
    return List.of(low, new DirtyBitmap(1L << 32, 128 << 10, 4096));
  }

  @Override
  public void stop() {
    ending.complete(Ending.STOPPED);
  }

  @Override
  public synchronized void close() {
    stop();
    closed = true;
  }

  synchronized boolean isClosed() {
    return closed;
  }
}
