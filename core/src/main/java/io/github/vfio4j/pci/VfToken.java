package io.github.vfio4j.pci;

import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * The secret that the user of an SR-IOV device's physical function and those of its virtual
 * functions share. With the physical function in the hands of a user program, the kernel hands its
 * virtual ones only to who knows the token, for that program could do them harm.
 *
 * <pre>{@code
 * UUID token = UUID.randomUUID();
 * VfioDevice physical = VfioDevice.open(sysfs.device(address));
 * VfToken.set(physical, token);
 * PciDevice virtual = Sriov.of(sysfs, sysfs.device(address)).orElseThrow().create(1).getFirst();
 * VfioDevice.open(virtual.withVfToken(token));
 * }</pre>
 *
 * @see io.github.vfio4j.sysfs.PciDevice#withVfToken
 */
public final class VfToken {
  private VfToken() {}

  /**
   * Sets the token of a physical function; {@code VFIO_DEVICE_FEATURE_PCI_VF_TOKEN}. Virtual
   * functions that are opened from now on need it; those that are open stay so. The kernel keeps it
   * when the device is closed, and tells it to nobody.
   *
   * @param physical a physical function that is open
   * @param token the token
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if the device is no physical function with SR-IOV, or this
   *     kernel has no tokens (Linux 5.7 was the first that had them)
   * @throws VfioException if the kernel refuses otherwise
   */
  public static void set(VfioDevice physical, UUID token) throws VfioException {
    OpenDevice device = OpenDevice.of(physical);
    KernelFeature feature = DeviceFeature.PCI_VF_TOKEN.kernel();
    if (!feature.isOf(device)) {
      throw new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_FEATURE.name(),
          feature.name() + " of " + device.name(),
          null,
          "it is no physical function with SR-IOV, or this kernel is older than Linux "
              + feature.since());
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = KernelFeature.request(arena, 2 * Long.BYTES);
      byte[] bytes =
          ByteBuffer.allocate(2 * Long.BYTES)
              .putLong(token.getMostSignificantBits())
              .putLong(token.getLeastSignificantBits())
              .array();
      KernelFeature.payload(request).copyFrom(MemorySegment.ofArray(bytes));
      feature.set(device, request, "");
    }
  }
}
