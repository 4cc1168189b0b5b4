package io.github.vfio4j.opening;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.outcome.RunningUser;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/** What keeps this user from a node that the kernel has announced. */
public final class Nodes {
  private Nodes() {}

  /** Opens a node to see what stands in the way to it, and closes it again. */
  public static Optional<Obstacle> inTheWay(HostFiles files, DeviceNode node) {
    String path = node.path().toString();
    return switch (files.attempt(node.path())) {
      case MISSING ->
          Optional.of(
              new Obstacle(
                  "there is no " + path + ", though the kernel has announced it",
                  "give this environment the node: devtmpfs or udev makes it, a container needs it"
                      + " passed in"));
      case REFUSED -> Optional.of(refused(files.sysfs(), path, path));
      case BUSY ->
          Optional.of(
              new Obstacle(
                  path + " cannot be opened now: somebody has it open, or this environment may not",
                  "end the process that has it open, or allow the device to this container"));
      case OPENED ->
          files.sysfs().isNode(node)
              ? Optional.empty()
              : Optional.of(
                  new Obstacle(
                      path + " is another device's node, not " + node.number(),
                      "remove it and let udev or devtmpfs make it again"));
    };
  }

  /**
   * Says that this user may not open a node, and who could change that.
   *
   * @param called what the sentence calls the node
   */
  static Obstacle refused(Sysfs sysfs, String node, String called) {
    return RunningUser.isRoot(sysfs.root())
        ? new Obstacle(
            "not even root may open " + called + " here",
            "allow it where it is forbidden: by the container's rules for devices, a file system"
                + " without them (nodev), or a security module")
        : new Obstacle(
            "this user may not open " + called,
            "sudo chown \"$USER\" "
                + node
                + ", until it is made anew; the README's udev rule lasts");
  }
}
