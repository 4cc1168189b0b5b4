package io.github.vfio4j.feature;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** What some devices can do, by the kernel's names; {@code VFIO_DEVICE_FEATURE}. */
public enum DeviceFeature {
  /** A secret that the users of an SR-IOV device's functions share. */
  PCI_VF_TOKEN(vfio_h.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, "5.7"),

  /** Moving the device's state to another one. */
  MIGRATION(vfio_h.VFIO_DEVICE_FEATURE_MIGRATION, "5.18"),

  /** In which state of a migration the device is. */
  MIG_DEVICE_STATE(vfio_h.VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, "5.18"),

  /** Letting the device sleep. */
  LOW_POWER_ENTRY(vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, "6.1"),

  /** Letting the device sleep until somebody touches it. */
  LOW_POWER_ENTRY_WITH_WAKEUP(vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, "6.1"),

  /** Waking the device. */
  LOW_POWER_EXIT(vfio_h.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, "6.1"),

  /** Taking note of the memory that the device writes. */
  DMA_LOGGING_START(vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_START, "6.1"),

  /** Taking no more note of it. */
  DMA_LOGGING_STOP(vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, "6.1"),

  /** Which memory the device has written. */
  DMA_LOGGING_REPORT(vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, "6.1"),

  /** How large the state is that a migration would move. */
  MIG_DATA_SIZE(vfio_h.VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, "6.2"),

  /** Allowing the device DMA, where that is not a bit of a PCI device's configuration space. */
  BUS_MASTER(vfio_h.VFIO_DEVICE_FEATURE_BUS_MASTER, "6.7"),

  /** A region as a file that other devices can map. */
  DMA_BUF(vfio_h.VFIO_DEVICE_FEATURE_DMA_BUF, "6.19"),

  /** What remains to be moved while the device still runs, in the second form. */
  MIG_PRECOPY_INFOv2(vfio_h.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, "7.3"),

  /** Errors of PCI devices of IBM's Z. */
  ZPCI_ERROR(vfio_h.VFIO_DEVICE_FEATURE_ZPCI_ERROR, "7.3");

  private final int number;
  private final String since;

  DeviceFeature(int number, String since) {
    this.number = number;
    this.since = since;
  }

  /**
   * Returns how it is asked for; for the packages of this module.
   *
   * @return the feature, with its calls
   */
  @SuppressWarnings("exports")
  public KernelFeature kernel() {
    return new KernelFeature(name(), number, since);
  }

  /**
   * Returns the kernel's number of the feature.
   *
   * @return the value of its {@code VFIO_DEVICE_FEATURE_}
   */
  public int number() {
    return number;
  }

  /**
   * Returns which kernel was the first that had the feature.
   *
   * @return its version, such as 6.1; of a feature younger than 7.0, the first that this library
   *     was tried with
   */
  public String since() {
    return since;
  }

  /**
   * Asks whether a device has the feature; {@code VFIO_DEVICE_FEATURE} with {@code PROBE}.
   *
   * @param device the device
   * @return whether it has
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses to tell
   */
  public boolean isOf(VfioDevice device) throws VfioException {
    return kernel().isOf(OpenDevice.of(device));
  }

  /**
   * Asks for all features of a device, each as {@link #isOf}.
   *
   * @param device the device
   * @return those that it has
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses to tell
   */
  public static Set<DeviceFeature> of(VfioDevice device) throws VfioException {
    Set<DeviceFeature> found = EnumSet.noneOf(DeviceFeature.class);
    for (DeviceFeature feature : values()) {
      if (feature.isOf(device)) {
        found.add(feature);
      }
    }
    return Collections.unmodifiableSet(found);
  }
}
