package io.github.vfio4j.container;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.opening.Host;

/** Opens containers on a host of a test's own. */
public final class Containers {
  private Containers() {}

  public static Container open(Host host) throws VfioException {
    return Container.open(host, Container.Type.TYPE1V2);
  }
}
