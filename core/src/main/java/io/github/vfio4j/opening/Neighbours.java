package io.github.vfio4j.opening;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.BindAdvice;
import io.github.vfio4j.sysfs.IommuGroup;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The other members of a device's group, as far as they keep it from user programs. */
public final class Neighbours {
  private Neighbours() {}

  /** Says with whom a group is shared, as the end of a sentence about it, and what to do. */
  public static Optional<Obstacle> inTheWay(HostFiles files, HostDevice device, IommuGroup group)
      throws VfioException {
    List<IommuGroup.Member> others =
        group.blockers().stream().filter(member -> !member.name().equals(device.name())).toList();
    return others.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Obstacle(
                others.stream()
                    .map(member -> member.name() + " (" + member.driver().orElseThrow() + ")")
                    .collect(Collectors.joining(", ", "shared with ", "")),
                BindAdvice.of(files.sysfs(), group, others)));
  }
}
