package io.github.vfio4j.opening;

import io.github.vfio4j.Backend;
import java.util.List;

/**
 * One of the ways to a device: an interface of the kernel, with all that stands in it for this
 * user.
 *
 * @param backend the interface
 * @param passed what was found in order, in words
 * @param obstacles what stands in it, the first to be removed first; none where the way is whole
 */
public record Way(Backend backend, String passed, List<Obstacle> obstacles) {
  /** Copies the list. */
  public Way {
    obstacles = List.copyOf(obstacles);
  }

  public boolean isWhole() {
    return obstacles.isEmpty();
  }
}
