package io.github.vfio4j;

import java.util.List;

/**
 * The interrupts that a device has under one of the kernel's IRQ indices, numbered from 0: its
 * vectors. A PCI device's are of the kinds of {@link PciFunction.IrqKind}.
 *
 * <p>A vector that is enabled signals an eventfd; {@link Interrupt} is its consumer. Vectors may be
 * enabled with holes between them. Thread-safe; it belongs to its device and ends with it: then its
 * methods that need the device throw {@link IllegalStateException}.
 */
public interface IrqIndex {
  /**
   * Returns which kind of interrupt this is.
   *
   * @return the kernel's index, of which {@link PciFunction.IrqKind#of} tells the meaning for a PCI
   *     device
   */
  int index();

  /**
   * Returns how many vectors the device has.
   *
   * @return the number; 0 where the device has none of this kind
   */
  int count();

  /**
   * Returns what the kernel says of this kind.
   *
   * @return the {@code VFIO_IRQ_INFO_} bits
   */
  int flags();

  /**
   * Returns whether vectors can be masked.
   *
   * @return whether {@link Interrupt#mask} and {@link Interrupt#unmask} work
   */
  boolean maskable();

  /**
   * Returns whether the kernel masks a vector each time it fires.
   *
   * @return whether {@link Interrupt#unmask} is needed after each interrupt, as with INTx
   */
  boolean automasked();

  /**
   * Returns whether vectors can be enabled one after another without disturbing those enabled.
   *
   * @return whether the kernel adds vectors one by one; if not ({@code NORESIZE}), enabling a
   *     vector beyond the highest enabled one sets all of them up again, and an interrupt in that
   *     moment can be lost
   */
  boolean resizable();

  /**
   * Enables one vector; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @param vector its number, from 0
   * @return its consumer; the caller closes it, or the device does
   * @throws IndexOutOfBoundsException if the device has no such vector
   * @throws DeviceBusyException if the vector is enabled already
   * @throws VfioException as {@link #enable(int...)}
   */
  Interrupt enable(int vector) throws VfioException;

  /**
   * Enables several vectors at once; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @param vectors their numbers, from 0, in any order and with holes
   * @return their consumers, in the order of the numbers given
   * @throws IllegalArgumentException if no vector or one vector twice is given
   * @throws IndexOutOfBoundsException if the device has no such vector
   * @throws DeviceBusyException if a vector is enabled already
   * @throws VfioException if the kernel refuses, or can give fewer vectors, as without interrupt
   *     remapping; the vectors are as before then
   */
  List<Interrupt> enable(int... vectors) throws VfioException;

  /**
   * Disables all vectors and closes their consumers. Does nothing where none is enabled.
   *
   * @throws VfioException if the kernel refuses; the vectors stay enabled then
   */
  void disable() throws VfioException;
}
