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
  /** Fewer vectors can be had than were asked for; those that were enabled before still are. */
  final class TooFewVectorsException extends VfioException {
    private static final long serialVersionUID = 1L;

    /** How many there are. */
    private final int available;

    /**
     * Describes a failure.
     *
     * @param operation the ioctl
     * @param object what has the vectors
     * @param wanted how many were asked for, from vector 0 on
     * @param available how many there are
     */
    public TooFewVectorsException(String operation, String object, int wanted, int available) {
      super(
          operation,
          object,
          null,
          "only the first %d vectors can be had here, not %d".formatted(available, wanted));
      this.available = available;
    }

    /**
     * Returns how many vectors can be had.
     *
     * @return the number, counted from vector 0: above 0, and below what was asked for
     */
    public int available() {
      return available;
    }
  }

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
   * @throws TooFewVectorsException if the kernel can give only the first of them, as of MSI without
   *     interrupt remapping, where it is one; the vectors are as before then
   * @throws VfioException if the kernel refuses; the vectors are as before then
   */
  List<Interrupt> enable(int... vectors) throws VfioException;

  /**
   * Enables as many vectors as there are, from vector 0 on: for drivers that go on with fewer;
   * {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @param most how many are of use, which may be more than the device has
   * @return their consumers, one at least, in the order of their numbers
   * @throws IllegalArgumentException if the number is not above 0
   * @throws IndexOutOfBoundsException if the device has no vectors of this kind
   * @throws DeviceBusyException if one of them is enabled already
   * @throws VfioException if the kernel refuses, or has none left; the vectors are as before then
   */
  List<Interrupt> enableUpTo(int most) throws VfioException;

  /**
   * Makes several enabled vectors fire at once, as if the device had raised them; {@code
   * VFIO_DEVICE_SET_IRQS} with {@code DATA_BOOL}.
   *
   * @param vectors their numbers, from 0, in any order and with holes; one that is given twice
   *     fires once
   * @throws IllegalArgumentException if no vector is given
   * @throws IndexOutOfBoundsException if the device has no such vector
   * @throws IllegalStateException if a vector is not enabled; none fires then
   * @throws VfioException if the kernel refuses
   */
  void trigger(int... vectors) throws VfioException;

  /**
   * Disables all vectors and closes their consumers. Does nothing where none is enabled.
   *
   * @throws VfioException if the kernel refuses; the vectors stay enabled then
   */
  void disable() throws VfioException;
}
