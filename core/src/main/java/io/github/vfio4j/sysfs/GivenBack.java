package io.github.vfio4j.sysfs;

import io.github.vfio4j.PciAddress;
import java.util.List;

/**
 * A device that was taken from its VFIO driver; {@link DriverBinding#unbind} does that.
 *
 * @param device the device as it is now, with a driver if the kernel has one for it
 * @param endedFunctions the virtual functions of it that have ended with that; none where there
 *     were none, or the driver has left them
 */
public record GivenBack(PciDevice device, List<PciAddress> endedFunctions) {
  /** Copies the list. */
  public GivenBack {
    endedFunctions = List.copyOf(endedFunctions);
  }
}
