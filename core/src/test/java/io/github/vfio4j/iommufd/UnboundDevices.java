package io.github.vfio4j.iommufd;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.opening.Host;

/** Opens the nodes of devices of a host of a test's own. */
public final class UnboundDevices {
  private UnboundDevices() {}

  public static UnboundDevice open(Host host, HostDevice device) throws VfioException {
    return UnboundDevice.open(host, device);
  }
}
