package io.github.vfio4j.opening;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.opening.HostFiles.Attempt;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/** Whether somebody has a device, or what the kernel gives away together with it. */
final class Use {
  private static final String UNSEEN = "a process that this user cannot see";

  private Use() {}

  /** Says who has a device, its group, or another device of its group. */
  static Optional<Obstacle> inTheWay(HostFiles files, HostDevice device, Optional<IommuGroup> group)
      throws VfioException {
    Optional<String> holder = files.sysfs().holder(device);
    if (holder.isPresent()) {
      return Optional.of(obstacle("it is open already: " + Holder.words(holder.get())));
    }
    Optional<String> neighbour =
        group.isEmpty() ? Optional.empty() : ofNeighbour(files.sysfs(), device, group.get());
    return neighbour.isPresent()
        ? neighbour.map(Use::obstacle)
        : ofNodes(files, device, group)
            .map(who -> obstacle("somebody has its node or group: " + who));
  }

  private static Obstacle obstacle(String seen) {
    return new Obstacle(seen, "end the process that has it open, or use another device");
  }

  /** Says who has another device of a group: all of them open through one file, or none. */
  static Optional<String> ofNeighbour(Sysfs sysfs, HostDevice device, IommuGroup group)
      throws VfioException {
    for (IommuGroup.Member member : group.members()) {
      if (!member.name().equals(device.name())) {
        Optional<String> holder = holder(sysfs, member.name());
        if (holder.isPresent()) {
          return Optional.of(
              member.name()
                  + " of the same group is open already: "
                  + Holder.words(holder.get())
                  + "; all of a group open through one file, or not at all");
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> holder(Sysfs sysfs, String name) throws VfioException {
    try {
      return sysfs.holder(sysfs.device(name));
    } catch (NoSuchDeviceException | IllegalArgumentException e) {
      return Optional.empty(); // it has gone, or is a device of another bus
    }
  }

  /**
   * Says who has the nodes of a device that does not show it. The group's node opens for one at a
   * time, and for nobody while one of the group's devices is open by its own; an environment that
   * may not open it gets the same words from Java.
   */
  private static Optional<String> ofNodes(
      HostFiles files, HostDevice device, Optional<IommuGroup> group) throws VfioException {
    boolean mediated = device instanceof MediatedDevice;
    Attempt attempt =
        group
            .flatMap(IommuGroup::node)
            .map(node -> files.attempt(node.path()))
            .orElse(Attempt.MISSING);
    if (attempt == Attempt.OPENED || (attempt != Attempt.BUSY && !mediated)) {
      return Optional.empty();
    }
    Optional<String> holder = files.sysfs().holderOfNodes(device).map(Holder::words);
    return holder.isPresent() || attempt != Attempt.BUSY || !mediated
        ? holder
        : Optional.of(UNSEEN);
  }
}
