package io.github.vfio4j.feature;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature_bus_master;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Whether a device that has no configuration space may do DMA, as those of AMD's CDX bus. The ones
 * of PCI are told in theirs, {@link io.github.vfio4j.ConfigSpace#setBusMaster}.
 */
public final class BusMaster {
  private BusMaster() {}

  /**
   * Lets a device do DMA, or forbids it; {@code VFIO_DEVICE_FEATURE_BUS_MASTER}.
   *
   * @param device an open device
   * @param on whether it may
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws io.github.vfio4j.UnsupportedByKernelException if the device or this kernel does not
   *     have it (Linux 6.7 was the first that had it)
   * @throws VfioException if the kernel refuses otherwise; the device may do what it might before
   */
  public static void set(VfioDevice device, boolean on) throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = KernelFeature.request(arena, vfio_device_feature_bus_master.SIZEOF);
      vfio_device_feature_bus_master.op(
          KernelFeature.payload(request),
          on ? vfio_h.VFIO_DEVICE_FEATURE_SET_MASTER : vfio_h.VFIO_DEVICE_FEATURE_CLEAR_MASTER);
      DeviceFeature.BUS_MASTER.kernel().set(engine, request, "");
    }
  }
}
