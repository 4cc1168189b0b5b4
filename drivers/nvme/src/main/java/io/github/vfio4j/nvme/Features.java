package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.AdminQueue.Command;
import java.time.Duration;

/**
 * The settings of a controller, which the specification calls features.
 *
 * <p>A few have methods of their own; the others are read and set by their numbers, as words. Those
 * whose value is a structure in memory take {@linkplain NvmeController#admin a command} put
 * together by hand. What is not saved is lost when the controller is reset. Methods may be called
 * from any thread.
 *
 * <p>All of them throw {@link NvmeException} if the controller refuses, for example a feature that
 * it does not have, and {@link VfioException} if it does not answer.
 */
public final class Features {
  static final int NUMBER_OF_QUEUES = 7;
  private static final int TEMPERATURE_THRESHOLD = 4;
  private static final int VOLATILE_CACHE = 6;
  private static final int KEEP_ALIVE_TIMER = 0x0f;
  private static final int UNDER = 1 << 20;
  private static final int ZERO_CELSIUS = 273;
  private static final int SAVE = 1 << 31;
  private static final Duration LONGEST_KEEP_ALIVE = Duration.ofDays(24);

  /** Which of a feature's values is meant. */
  public enum Value {
    /** The one that counts now. */
    CURRENT(0),

    /** The one that it was made with. */
    DEFAULT(1),

    /** The one that it has after a reset. */
    SAVED(2);

    private final int bits;

    Value(int bits) {
      this.bits = bits;
    }
  }

  private final NvmeController controller;

  Features(NvmeController controller) {
    this.controller = controller;
  }

  /**
   * Returns a feature of the whole controller.
   *
   * @param id its number
   * @param which which of its values
   * @return the first word of the controller's answer
   * @throws NvmeException if the controller refuses
   * @throws VfioException if the controller has only current values, or does not answer
   */
  public int get(int id, Value which) throws VfioException {
    return get(id, which, 0, 0);
  }

  /**
   * Returns a feature.
   *
   * @param id its number
   * @param which which of its values
   * @param namespace whose feature, or 0 for the controller's
   * @param selection word 11 of the command, which says more closely what is meant
   * @return the first word of the controller's answer
   * @throws NvmeException if the controller refuses
   * @throws VfioException if the controller has only current values, or does not answer
   */
  public int get(int id, Value which, int namespace, int selection) throws VfioException {
    requireId(id);
    if (which != Value.CURRENT) {
      requireSaving();
    }
    return controller
        .admins()
        .tell(
            new Command(
                "Get Features", Opcode.GET_FEATURES, namespace, which.bits << 8 | id, selection));
  }

  /**
   * Sets a feature of the whole controller until it is reset.
   *
   * @param id its number
   * @param value word 11 of the command
   * @throws IllegalArgumentException if it is the number of queues, which is this driver's
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public void set(int id, int value) throws VfioException {
    int _ = set(id, 0, value, false);
  }

  /**
   * Sets a feature.
   *
   * @param id its number
   * @param namespace whose feature, or 0 for the controller's
   * @param value word 11 of the command
   * @param save whether it is to have this value after a reset, too
   * @return the first word of the controller's answer
   * @throws IllegalArgumentException if it is the number of queues, which is this driver's
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it cannot save any feature, or does not answer
   */
  public int set(int id, int namespace, int value, boolean save) throws VfioException {
    requireId(id);
    if (id == NUMBER_OF_QUEUES) {
      throw new IllegalArgumentException("the number of queues is the driver's to set");
    }
    if (save) {
      requireSaving();
    }
    return controller
        .admins()
        .tell(
            new Command(
                "Set Features", Opcode.SET_FEATURES, namespace, (save ? SAVE : 0) | id, value));
  }

  private static void requireId(int id) {
    if (id < 0 || id > 0xff) {
      throw new IllegalArgumentException("a feature's number is from 0 to 255, not " + id);
    }
  }

  private void requireSaving() throws VfioException {
    if (!controller.abilities().savesFeatures()) {
      throw controller.abilities().lacking("Features", "any but the current value of features");
    }
  }

  /**
   * Returns whether the volatile write cache is on. While it is, what was written may be lost with
   * the power until it was flushed.
   *
   * @return whether it is on; false where there is none
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public boolean hasVolatileCacheOn() throws VfioException {
    return controller.identity().hasVolatileCache()
        && (get(VOLATILE_CACHE, Value.CURRENT) & 1) != 0;
  }

  /**
   * Switches the volatile write cache on or off.
   *
   * @param on whether it is to be on
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it is to be on and there is none, or the controller does not answer
   */
  public void setVolatileCache(boolean on) throws VfioException {
    if (controller.identity().hasVolatileCache()) {
      set(VOLATILE_CACHE, on ? 1 : 0);
    } else if (on) {
      throw controller.abilities().lacking("Set Features", "a volatile write cache");
    }
  }

  /**
   * Returns from which temperature on it is too hot.
   *
   * @return degrees Celsius
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public int overTemperature() throws VfioException {
    return temperature(0);
  }

  /**
   * Sets from which temperature on it is too hot, of which {@link AsyncEvents} tell.
   *
   * @param celsius degrees Celsius
   * @throws IllegalArgumentException if it is below absolute zero, or above 65,262
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public void setOverTemperature(int celsius) throws VfioException {
    setTemperature(0, celsius);
  }

  /**
   * Returns up to which temperature it is too cold.
   *
   * @return degrees Celsius
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public int underTemperature() throws VfioException {
    return temperature(UNDER);
  }

  /**
   * Sets up to which temperature it is too cold, of which {@link AsyncEvents} tell.
   *
   * @param celsius degrees Celsius
   * @throws IllegalArgumentException as {@link #setOverTemperature}
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public void setUnderTemperature(int celsius) throws VfioException {
    setTemperature(UNDER, celsius);
  }

  private int temperature(int selection) throws VfioException {
    return (get(TEMPERATURE_THRESHOLD, Value.CURRENT, 0, selection) & 0xffff) - ZERO_CELSIUS;
  }

  private void setTemperature(int selection, int celsius) throws VfioException {
    long kelvin = (long) celsius + ZERO_CELSIUS;
    if (kelvin < 0 || kelvin > 0xffff) {
      throw new IllegalArgumentException(celsius + " is no temperature in degrees Celsius");
    }
    set(TEMPERATURE_THRESHOLD, selection | (int) kelvin);
  }

  /**
   * Sets how long the controller waits for a sign of life, which {@link NvmeController#keepAlive}
   * gives. When it waits in vain, it stops, with a fatal status. A reset switches this off.
   *
   * @param timeout how long, which the controller rounds up; zero for for ever
   * @throws IllegalArgumentException if it is negative, or longer than 24 days
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it needs no sign of life, or does not answer
   */
  public void setKeepAlive(Duration timeout) throws VfioException {
    if (timeout.isNegative() || timeout.compareTo(LONGEST_KEEP_ALIVE) > 0) {
      throw new IllegalArgumentException("a time that cannot be told: " + timeout);
    }
    controller.requireKeepAlive("Set Features");
    set(KEEP_ALIVE_TIMER, (int) timeout.plusNanos(999_999).toMillis());
  }
}
