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
  /** Copies the list. */
  public Identity {
    groups = List.copyOf(groups);
  }
}
