package io.github.vfio4j.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherFactory;

/** Finds the test classes that a guest has to load: on the host, where looking at all is quick. */
public final class GuestClasses {
  private GuestClasses() {}

  /**
   * Writes for each guest the names of the classes with tests that suit it, a line each, in the
   * order in which they are run.
   *
   * @param arguments the jar or directory to look for tests in, and a pattern for a part of the
   *     class names; then for each guest its machine, its kernel's release and the file to write
   * @throws IOException if a file cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    var chosen = ClassNameFilter.includeClassNamePatterns(".*(" + arguments[1] + ").*");
    TestPlan plan =
        LauncherFactory.create().discover(GuestRunner.request(List.of(arguments[0]), chosen));
    for (int i = 2; i < arguments.length; i += 3) {
      Guest guest = new Guest(arguments[i], KernelRelease.parse(arguments[i + 1]));
      Files.write(Path.of(arguments[i + 2]), suiting(guest, plan));
    }
  }

  private static Set<String> suiting(Guest guest, TestPlan plan) {
    var names = new LinkedHashSet<String>();
    for (TestIdentifier root : plan.getRoots()) {
      for (TestIdentifier test : plan.getDescendants(root)) {
        if (test.getSource().orElse(null) instanceof MethodSource method && guest.meets(method)) {
          names.add(method.getClassName().split("\\$", 2)[0]);
        }
      }
    }
    return names;
  }
}
