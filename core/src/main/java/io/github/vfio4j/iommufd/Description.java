package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.takeover.RunningIommufd;
import io.github.vfio4j.takeover.Successor;
import java.util.ArrayList;
import java.util.List;

/**
 * Describes what is in an iommufd for another process, and refuses what that one could not go on
 * with. Used with the monitor of the iommufd held.
 */
final class Description {
  private final Fd file;
  private final List<Object> devices;
  private final Dependents containers;
  private final List<Object> objects;

  Description(Fd file, Dependents devices, Dependents containers, Dependents objects) {
    this.file = file;
    this.devices = devices.oldestFirst();
    this.containers = containers;
    this.objects = objects.oldestFirst();
  }

  RunningIommufd of(Successor successor) throws VfioException {
    if (!containers.isEmpty()) {
      throw refusal("a container of the legacy interface");
    }
    successor.needs(file);
    List<RunningIommufd.AddressSpace> spaces = new ArrayList<>();
    for (Object object : objects) {
      if (!(object instanceof Ioas ioas)) {
        throw refusal(object.toString());
      }
      spaces.add(addressSpace(ioas));
    }
    List<RunningIommufd.Device> running = new ArrayList<>();
    for (Object device : devices) {
      if (!(device instanceof CdevDevice cdev)) {
        throw refusal(device.toString());
      }
      running.add(device(cdev, successor));
    }
    return new RunningIommufd(spaces, running);
  }

  private static VfioException refusal(String what) {
    return new VfioException(
        "hand over", "/dev/iommu", null, what + " cannot be taken over by another process");
  }

  private RunningIommufd.AddressSpace addressSpace(Ioas ioas) throws VfioException {
    List<RunningIommufd.Mapping> mappings = new ArrayList<>();
    ioas.forEachMapping(
        (iova, size, memory, access) -> {
          if (memory.isNative()) {
            throw refusal(
                "0x%x bytes at 0x%x of %s are memory of this process alone, not of a file, and"
                    .formatted(size, iova, ioas));
          }
          mappings.add(new RunningIommufd.Mapping(iova, size, access));
        });
    List<RunningIommufd.PageTable> tables = new ArrayList<>();
    for (Object made : ioas.dependents().oldestFirst()) {
      tables.add(pageTable(made));
    }
    return new RunningIommufd.AddressSpace(ioas.id(), mappings, tables);
  }

  /** A page table is known by the device that is attached to it. */
  private RunningIommufd.PageTable pageTable(Object made) throws VfioException {
    for (Object device : devices) {
      if (device instanceof CdevDevice cdev
          && cdev.attached().orElse(null) instanceof HwptPaging hwpt
          && hwpt.object.equals(made)) {
        if (hwpt.deliversFaults()
            || !hwpt.object.dependents().isEmpty()
            || !hwpt.object.companions().isEmpty()) {
          throw refusal("what was made from " + hwpt);
        }
        int flags = hwpt.flags().stream().mapToInt(HwptFlag::bit).sum();
        return new RunningIommufd.PageTable(hwpt.id(), flags);
      }
    }
    throw refusal(made + ", to which no device is attached,");
  }

  private static RunningIommufd.Device device(CdevDevice device, Successor successor)
      throws VfioException {
    if (device.attachments().hasPasids()) {
      throw refusal("what PASIDs of " + device + " are attached to");
    }
    if (!device.virtualDevices().isEmpty()) {
      throw refusal("the vDevice of " + device);
    }
    for (Object extra : device.engine().extras()) {
      throw refusal(extra.toString());
    }
    successor.needs(device.file());
    List<RunningIommufd.Vector> vectors = new ArrayList<>();
    device
        .engine()
        .forEachVector(
            (index, vector, event) -> {
              if (vector instanceof EventChannel.Source<?> source
                  && source.channel().subscriber().isTaken()) {
                throw refusal("the handler of " + vector);
              }
              vectors.add(new RunningIommufd.Vector(index, vector.vector()));
              successor.needs(event);
            });
    return new RunningIommufd.Device(
        device.id(),
        device.attached().map(PageTable::id).orElse(0),
        device.hwptId().orElse(0),
        vectors);
  }
}
