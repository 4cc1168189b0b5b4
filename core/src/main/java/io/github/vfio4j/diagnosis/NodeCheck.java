package io.github.vfio4j.diagnosis;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.Nodes;
import io.github.vfio4j.opening.Obstacle;
import java.util.Optional;

/**
 * Whether a node is there and this user may open it. What blocks one of two nodes is a warning as
 * long as the other is open.
 *
 * @param check the name of the check
 * @param node the node, if the kernel has announced one
 * @param obstacle what keeps this user from it
 */
record NodeCheck(String check, Optional<DeviceNode> node, Optional<Obstacle> obstacle) {

  static NodeCheck of(String check, HostFiles files, Optional<DeviceNode> node) {
    return new NodeCheck(check, node, node.flatMap(it -> Nodes.inTheWay(files, it)));
  }

  private boolean isOpen() {
    return node.isPresent() && obstacle.isEmpty();
  }

  Finding finding(NodeCheck other, String fixIfNone) {
    if (isOpen()) {
      return Finding.ok(check, "this user may open " + node.orElseThrow().path());
    }
    Obstacle found = obstacle.orElse(new Obstacle("the kernel has made none", fixIfNone));
    return other.isOpen()
        ? Finding.warning(check, found.seen(), found.fix())
        : Finding.failed(check, found.seen(), found.fix());
  }
}
