package io.github.vfio4j.lab;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.platform.engine.Filter;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the tests that are meant for the machine it runs in. */
public final class GuestRunner {
  private GuestRunner() {}

  /**
   * Runs the tests marked with {@link OnMachine} that this machine and kernel suit; ends with
   * status 1 if one of them fails.
   *
   * @param arguments the log to write, then the names of test classes, and jars and directories to
   *     look for them in
   * @throws IOException if the log cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    Path log = Path.of(arguments[0]);
    Guest guest = Guest.current();
    var elsewhere = new ArrayList<TestDescriptor>();
    PostDiscoveryFilter suited =
        test -> {
          if (!(test.getSource().orElse(null) instanceof MethodSource method)
              || guest.meets(method)) {
            return FilterResult.included("suits this machine");
          }
          elsewhere.add(test);
          return FilterResult.excluded("needs another machine");
        };
    List<String> places = Arrays.asList(arguments).subList(1, arguments.length);
    Launcher launcher = LauncherFactory.create();
    TestPlan plan = launcher.discover(request(places, suited));
    try (var events = new TestLog(log, plan, GuestRunner::tell)) {
      for (TestDescriptor test : elsewhere) {
        events.plan(TestIdentifier.from(test), Kind.ELSEWHERE);
      }
      for (TestIdentifier root : plan.getRoots()) {
        for (TestIdentifier test : plan.getDescendants(root)) {
          if (test.isTest() || test.getSource().orElse(null) instanceof MethodSource) {
            events.plan(test, Kind.PLANNED);
          }
        }
      }
      run(launcher, plan, events);
      if (events.failed()) {
        System.exit(1);
      }
    }
  }

  private static void tell(String line) {
    System.out.println(line);
  }

  /** Runs what is planned, and what is marked with {@link OnceMore} and is late a second time. */
  static void run(Launcher launcher, TestPlan plan, TestLog events) {
    launcher.execute(plan, events);
    if (!events.again().isEmpty()) {
      launcher.execute(launcher.discover(requestOf(events.again())), events);
    }
    events.finish();
  }

  /** Asks for the tests of machines in jars, directories and classes that pass the filters. */
  static LauncherDiscoveryRequest request(List<String> places, Filter<?>... filters) {
    Set<Path> roots = new HashSet<>();
    var classes = new ArrayList<ClassSelector>();
    for (String place : places) {
      if (Files.exists(Path.of(place))) {
        roots.add(Path.of(place));
      } else {
        classes.add(DiscoverySelectors.selectClass(place));
      }
    }
    return limited()
        .selectors(DiscoverySelectors.selectClasspathRoots(roots))
        .selectors(classes)
        .filters(TagFilter.includeTags(OnMachine.TAG))
        .filters(filters)
        .build();
  }

  private static LauncherDiscoveryRequest requestOf(Set<String> tests) {
    return limited()
        .selectors(tests.stream().map(DiscoverySelectors::selectUniqueId).toList())
        .build();
  }

  private static LauncherDiscoveryRequestBuilder limited() {
    return LauncherDiscoveryRequestBuilder.request()
        .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", "120 s")
        .configurationParameter("junit.jupiter.execution.timeout.threaddump.enabled", "true");
  }
}
