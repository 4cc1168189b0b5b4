package io.github.vfio4j.nvme;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;

/**
 * How a controller is to be started, where it is not to be as {@link NvmeController#start} does it.
 * It is for one thread at a time, and can be used several times.
 */
public final class NvmeSetup {
  private final VfioDevice device;
  private boolean usesControllerMemory;

  NvmeSetup(VfioDevice device) {
    this.device = device;
  }

  /**
   * Has queue pairs put their commands into memory of the controller's own (controller memory
   * buffer, CMB), where it has some for that and as long as there is room: {@link
   * QueuePair#isInControllerMemory} tells. A controller of hardware gets its commands sooner then,
   * since it does not fetch them. Each command is written through the bus, by eight stores, so an
   * emulated controller is the slower for it. It is not so unless it is asked for.
   *
   * <p>Controllers of NVMe 1.4 and later are told at which address to see that memory. The driver
   * chooses one that cannot be an IOVA in the device's address space now; so do not detach other
   * devices from it, by which it grows, while the controller runs. Older ones see it at its address
   * on the bus, which VFIO does not tell; their memory is not used.
   *
   * @return this
   */
  public NvmeSetup queuesInControllerMemory() {
    usesControllerMemory = true;
    return this;
  }

  boolean usesControllerMemory() {
    return usesControllerMemory;
  }

  /**
   * Starts the controller, as {@link NvmeController#start} does.
   *
   * @return the controller; the caller closes it
   * @throws IllegalStateException as {@link NvmeController#start}
   * @throws DeviceTimeoutException as {@link NvmeController#start}
   * @throws NvmeException as {@link NvmeController#start}
   * @throws VfioException as {@link NvmeController#start}, or if the controller's memory is to be
   *     used, and is where it cannot be, or there are no addresses for it
   */
  public NvmeController start() throws VfioException {
    return NvmeController.start(device, this);
  }
}
