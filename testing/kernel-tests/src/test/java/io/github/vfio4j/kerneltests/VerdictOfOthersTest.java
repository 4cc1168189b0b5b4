package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is said to a user without privileges, in a container with a {@code /dev} of its own, is what
 * that user can do there; and so to the root of a namespace of users.
 */
@OnMachine("intel/legacy") // a JVM is slow to start
class VerdictOfOthersTest {
  private static final int NOBODY = 65534;

  /** Nobody, with a /dev that has only what a JVM needs. */
  private static List<String> inAContainer() {
    var prefix = new ArrayList<>(List.of("unshare", "--mount", "bash", "-ec"));
    prefix.add(
        """
        mount -t tmpfs none /mnt
        cp -a /dev/{null,zero,random,urandom} /mnt
        mount --move /mnt /dev
        exec "$@"
        """);
    prefix.add("container");
    prefix.addAll(Child.AS_NOBODY);
    return prefix;
  }

  /**
   * The root of a namespace of users that has the users of the machine, by the same numbers, as
   * some containers have it: its capabilities are worth nothing outside.
   */
  @Test
  @Bound(Device.EDU)
  @OnMachine(
      value = "intel/legacy",
      since = "7.0") // the older kernels of the lab have no namespaces
  void isTrueForTheRootOfANamespaceOfUsers(@TempDir Path directory) throws Exception {
    Path gate = directory.resolve("gate");
    assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor()).isZero();
    List<String> prefix =
        List.of("unshare", "--user", "bash", "-ec", "read <\"$0\"; exec \"$@\"", gate.toString());
    try (Child child = Child.start(prefix, VerdictProcess.class)) {
      try (OutputStream opened = Files.newOutputStream(gate)) { // the namespace is there by then
        for (String map : List.of("uid_map", "gid_map")) {
          Files.writeString(Path.of("/proc", "" + child.pid(), map), "0 0 4294967295");
        }
        opened.write('\n');
      }
      assertThat(child.line()).isEqualTo(Verdict.trueLine(Optional.of(Backend.IOMMUFD)));
    }
  }

  /** One node on a way to the device. */
  private record Node(Path path, Backend backend) {}

  private static List<Node> nodes() throws IOException {
    HostDevice edu = Sysfs.host().device(Machine.EDU);
    DeviceNode group = Sysfs.host().group(edu.iommuGroup().orElseThrow()).node().orElseThrow();
    List<Node> nodes = new ArrayList<>();
    nodes.add(new Node(Path.of("/dev/vfio/vfio"), Backend.CONTAINER));
    nodes.add(new Node(group.path(), Backend.CONTAINER));
    if (Machine.hasCdev()) {
      nodes.add(new Node(Path.of("/dev/iommu"), Backend.IOMMUFD));
      nodes.add(new Node(edu.cdev().orElseThrow().path(), Backend.IOMMUFD));
    }
    return nodes;
  }

  private static Optional<Backend> firstWhole(List<Node> nodes, Set<Node> given) {
    return Machine.backends()
        .filter(backend -> given.containsAll(those(nodes, node -> node.backend() == backend)))
        .findFirst();
  }

  @Test
  @Bound(Device.EDU)
  void isTrueWhicheverNodesTheyHave() throws Exception {
    List<Node> nodes = nodes();
    try (Child child = Child.start(inAContainer(), VerdictProcess.class)) {
      assertThat(child.line()).isEqualTo(Verdict.trueLine(Optional.empty()));

      Path container = Path.of("/proc", "" + child.pid(), "root");
      for (Node node : nodes) {
        copy(node.path(), container);
      }
      for (Set<Node> given : choices(nodes)) {
        for (Node node : nodes) {
          int owner = given.contains(node) ? NOBODY : 0;
          Files.setAttribute(in(container, node.path()), "unix:uid", owner);
        }
        child.goOn();
        assertThat(child.line())
            .as("%s", given)
            .isEqualTo(Verdict.trueLine(firstWhole(nodes, given)));
      }
    }
  }

  /** None, those of one interface, all, and all but one. */
  private static Set<Set<Node>> choices(List<Node> nodes) {
    Set<Set<Node>> choices = new LinkedHashSet<>();
    choices.add(Set.of());
    Machine.backends()
        .forEach(backend -> choices.add(those(nodes, node -> node.backend() == backend)));
    choices.add(Set.copyOf(nodes));
    nodes.forEach(missing -> choices.add(those(nodes, node -> !node.equals(missing))));
    return choices;
  }

  private static Set<Node> those(List<Node> nodes, Predicate<Node> wanted) {
    return nodes.stream().filter(wanted).collect(Collectors.toSet());
  }

  private static Path in(Path container, Path node) {
    return container.resolve(Path.of("/").relativize(node));
  }

  private static void copy(Path node, Path container) throws Exception {
    Path copy = in(container, node);
    Files.createDirectories(copy.getParent());
    var command = new ProcessBuilder("cp", "-a", node.toString(), copy.toString());
    assertThat(command.inheritIO().start().waitFor()).isZero();
    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
  }
}
