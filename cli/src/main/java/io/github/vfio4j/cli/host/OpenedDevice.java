package io.github.vfio4j.cli.host;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.feature.DeviceFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the kernel says of a device to who has opened it.
 *
 * @param choice the interface it was opened through
 * @param info of the device as a whole
 * @param features those of {@code VFIO_DEVICE_FEATURE} that it has
 * @param config its configuration space as VFIO shows it, of a PCI device
 * @param regions of every index
 * @param interrupts of every index
 * @param granule the unit of mapping for DMA, in bytes
 * @param iovaRanges where DMA can be mapped
 */
public record OpenedDevice(
    BackendChoice choice,
    DeviceInfo info,
    Set<DeviceFeature> features,
    Optional<ConfigImage> config,
    List<RegionInfo> regions,
    List<Irq> interrupts,
    long granule,
    List<IovaRange> iovaRanges) {

  /**
   * The interrupts of one index.
   *
   * @param index the kernel's number
   * @param count how many vectors there are
   * @param maskable whether they can be masked
   * @param automasked whether each masks itself when it fires
   * @param resizable whether vectors can be added one by one
   */
  public record Irq(
      int index, int count, boolean maskable, boolean automasked, boolean resizable) {}

  public static OpenedDevice of(VfioDevice device) throws VfioException {
    List<RegionInfo> regions = new ArrayList<>();
    for (int index = 0; index < device.info().regionCount(); index++) {
      regions.add(device.region(index).info());
    }
    List<Irq> interrupts = new ArrayList<>();
    for (int index = 0; index < device.info().irqCount(); index++) {
      IrqIndex kind = device.irq(index);
      interrupts.add(
          new Irq(index, kind.count(), kind.maskable(), kind.automasked(), kind.resizable()));
    }
    return new OpenedDevice(
        device.choice(),
        device.info(),
        DeviceFeature.of(device),
        device.info().pci() ? Optional.of(ConfigImage.of(device)) : Optional.empty(),
        regions,
        interrupts,
        device.addressSpace().granule(),
        device.addressSpace().iovaRanges());
  }
}
