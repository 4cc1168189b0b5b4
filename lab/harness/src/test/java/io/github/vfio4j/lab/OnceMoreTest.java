package io.github.vfio4j.lab;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

class OnceMoreTest {
  private static final AtomicInteger RUNS = new AtomicInteger();

  @Timeout(value = 100, unit = TimeUnit.MILLISECONDS)
  abstract static class Late {
    @Test
    void first() throws InterruptedException {
      if (RUNS.getAndIncrement() == 0) {
        Thread.sleep(60_000);
      }
    }

    @Test
    void always() throws InterruptedException {
      Thread.sleep(60_000);
    }

    @Test
    void wrong() {
      throw new AssertionError("it is wrong");
    }
  }

  @OnceMore(because = "It is the clock's fault.")
  static final class Excused extends Late {}

  static final class NotExcused extends Late {}

  private static SuiteResult run(Class<?> tests, Path log) throws Exception {
    RUNS.set(0);
    Launcher launcher = LauncherFactory.create();
    TestPlan plan =
        launcher.discover(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(tests))
                .build());
    try (var events = new TestLog(log, plan, line -> {})) {
      GuestRunner.run(launcher, plan, events);
    }
    List<TestEvent> written =
        Files.readAllLines(log, UTF_8).stream().map(TestEvent::fromLine).toList();
    assertThat(written.getLast().kind()).isEqualTo(Kind.FINISHED);
    return SuiteResult.ofGuest("intel", written, "");
  }

  private static List<String> named(SuiteResult suite, Kind kind) {
    return suite.results().stream()
        .filter(each -> each.kind() == kind)
        .map(TestEvent::name)
        .sorted()
        .toList();
  }

  @Test
  void whatIsLateRunsOnceMoreWhereThatIsExcused(@TempDir Path directory) throws Exception {
    SuiteResult suite = run(Excused.class, directory.resolve("log"));

    assertThat(named(suite, Kind.PASSED)).containsExactly("first()");
    assertThat(named(suite, Kind.FAILED)).containsExactly("always()", "wrong()");
    assertThat(RUNS).hasValue(2);
  }

  @Test
  void whatIsLateHasFailedElsewhere(@TempDir Path directory) throws Exception {
    SuiteResult suite = run(NotExcused.class, directory.resolve("log"));

    assertThat(named(suite, Kind.PASSED)).isEmpty();
    assertThat(named(suite, Kind.FAILED)).containsExactly("always()", "first()", "wrong()");
  }
}
