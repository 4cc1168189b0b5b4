package io.github.vfio4j.bench;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;

/** How a thread sleeps until a device has raised its interrupt. */
@FunctionalInterface
interface Sleep extends AutoCloseable {
  /** Prepares it for an interrupt. */
  @FunctionalInterface
  interface Maker {
    Sleep on(Interrupt interrupt) throws VfioException;
  }

  /** Sleeps until the next interrupt. */
  void sleep() throws VfioException;

  @Override
  default void close() throws VfioException {}
}
