package io.github.vfio4j.exec;

import java.util.List;

/**
 * Whom a program runs as.
 *
 * @param user the user's number
 * @param group the number of the user's group
 * @param groups the numbers of all groups that the user is in
 */
public record Identity(int user, int group, List<Integer> groups) {
  private static final int NOBODY = -1;

  /** Copies the list, and refuses the number that is none: the kernel takes it for no change. */
  public Identity {
    groups = List.copyOf(groups);
    if (user == NOBODY || group == NOBODY) {
      throw new IllegalArgumentException("there is no user or group of number -1");
    }
  }
}
