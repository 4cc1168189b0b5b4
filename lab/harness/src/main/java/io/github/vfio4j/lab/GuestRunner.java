package io.github.vfio4j.lab;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.discovery.ClassNameFilter;
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
  /** The system property with a pattern of the class names to run; without it, all are run. */
  private static final String CHOSEN = "io.github.vfio4j.lab.tests";

  private GuestRunner() {}

  /**
   * Runs the tests marked with {@link OnMachine} that this machine and kernel suit; ends with
   * status 1 if one of them fails.
   *
   * @param arguments the log to write, then the jars and directories to look for tests in
   * @throws IOException if the log cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    Path log = Path.of(arguments[0]);
    Set<Path> roots =
        Arrays.stream(arguments).skip(1).map(Path::of).collect(Collectors.toUnmodifiableSet());
    var elsewhere = new ArrayList<TestDescriptor>();
    Launcher launcher = LauncherFactory.create();
    TestPlan plan = launcher.discover(request(roots, Guest.current(), elsewhere));
    try (var events = new TestLog(log, plan)) {
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
      launcher.execute(plan, events);
      if (events.failed()) {
        System.exit(1);
      }
    }
  }

  private static LauncherDiscoveryRequest request(
      Set<Path> roots, Guest guest, List<TestDescriptor> elsewhere) {
    PostDiscoveryFilter suited =
        test -> {
          if (!(test.getSource().orElse(null) instanceof MethodSource method)
              || needs(method).stream().allMatch(guest::meets)) {
            return FilterResult.included("suits this machine");
          }
          elsewhere.add(test);
          return FilterResult.excluded("needs another machine");
        };
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(DiscoverySelectors.selectClasspathRoots(roots))
        .filters(
            TagFilter.includeTags(OnMachine.TAG),
            ClassNameFilter.includeClassNamePatterns(
                ".*(" + System.getProperty(CHOSEN, "") + ").*"),
            suited)
        .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", "120 s")
        .configurationParameter("junit.jupiter.execution.timeout.threaddump.enabled", "true")
        .build();
  }

  private static List<OnMachine> needs(MethodSource method) {
    var needs = new ArrayList<OnMachine>();
    AnnotationSupport.findAnnotation(method.getJavaMethod(), OnMachine.class).ifPresent(needs::add);
    for (Class<?> type = method.getJavaClass(); type != null; type = type.getEnclosingClass()) {
      AnnotationSupport.findAnnotation(type, OnMachine.class).ifPresent(needs::add);
    }
    return needs;
  }
}
