package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.VfioException;

/** An interrupt of the guest that is a message. Thread-safe; closing it again does nothing. */
public final class MessageRoute implements AutoCloseable {
  private final InterruptRoutes routes;
  private final int gsi;
  private boolean closed;

  MessageRoute(InterruptRoutes routes, int gsi) {
    this.routes = routes;
    this.gsi = gsi;
  }

  /** Returns the number by which it is raised. */
  public int gsi() {
    return gsi;
  }

  /** Says what message it is: what the guest has the device write, and where. */
  public void set(long address, int data) throws VfioException {
    routes.set(gsi, address, data);
  }

  /** Gives the number back, which nothing raises any more. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      routes.remove(gsi);
    }
  }

  @Override
  public String toString() {
    return "interrupt " + gsi;
  }
}
