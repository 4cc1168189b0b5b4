package io.github.vfio4j;

import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.stream.Collectors;

/** Names the members of a group whose driver keeps the others from user space. */
final class Neighbours {
  private Neighbours() {}

  /** Returns the end of a sentence. */
  static String inTheWay(Sysfs sysfs, int group) {
    try {
      return sysfs.group(group).offenders().stream()
          .map(Neighbours::describe)
          .collect(Collectors.joining(", ", ": ", ""));
    } catch (VfioException unreadable) {
      return " (" + unreadable.getMessage() + ")";
    }
  }

  private static String describe(IommuGroup.Member member) {
    return member.name() + " is bound to " + member.driver().orElse("no driver");
  }
}
