package io.github.vfio4j.cli.vm;

import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
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
