package io.github.vfio4j.lab;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Writes what happens to each test into a file at once, so that the host knows which tests a guest
 * that died did not finish, and a line for the reader.
 */
final class TestLog implements TestExecutionListener, AutoCloseable {
  private final BufferedWriter file;
  private final Consumer<String> reader;
  private final Map<String, Long> started = new HashMap<>();
  private final Set<String> reported = new HashSet<>();
  private final Set<String> again = new LinkedHashSet<>();
  private TestPlan plan;
  private boolean failed;

  TestLog(Path path, TestPlan plan, Consumer<String> reader) throws IOException {
    this.file = Files.newBufferedWriter(path);
    this.reader = reader;
    this.plan = plan;
  }

  boolean failed() {
    return failed;
  }

  void plan(TestIdentifier test, Kind kind) {
    write(event(kind, test, 0, ""));
  }

  @Override
  public void testPlanExecutionStarted(TestPlan testPlan) {
    plan = testPlan;
  }

  /** Returns which tests, by their unique IDs, are to be run once more. */
  Set<String> again() {
    return again;
  }

  /** Says that all has run. */
  void finish() {
    write(TestEvent.finished());
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    started.put(test.getUniqueId(), System.nanoTime());
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    report(Kind.SKIPPED, test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    String text = result.getThrowable().map(TestLog::stackTrace).orElse("");
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (test.isTest()) {
          report(Kind.PASSED, test, "");
        } else if (test.getSource().orElse(null) instanceof MethodSource) {
          reported.add(test.getUniqueId());
          write(event(Kind.ENDED, test, 0, ""));
        }
      }
      case ABORTED -> report(Kind.SKIPPED, test, text);
      case FAILED -> {
        if (runsOnceMore(test, result) && again.add(test.getUniqueId())) {
          one(Kind.AGAIN, test, text);
        } else {
          report(Kind.FAILED, test, text);
        }
      }
    }
  }

  private static boolean runsOnceMore(TestIdentifier test, TestExecutionResult result) {
    return test.isTest()
        && test.getSource().orElse(null) instanceof MethodSource method
        && method.getJavaClass().isAnnotationPresent(OnceMore.class)
        && result.getThrowable().orElse(null) instanceof TimeoutException;
  }

  /** A container that does not run, or whose set-up fails, takes all of its tests with it. */
  private void report(Kind kind, TestIdentifier test, String text) {
    boolean children = false;
    if (test.isContainer()) {
      for (TestIdentifier child : plan.getDescendants(test)) {
        if (child.isTest() && !reported.contains(child.getUniqueId())) {
          children = true;
          one(kind, child, text);
        }
      }
    }
    if (!children) {
      one(kind, test, text);
    }
  }

  private void one(Kind kind, TestIdentifier test, String text) {
    reported.add(test.getUniqueId());
    failed |= kind == Kind.FAILED;
    Long start = started.get(test.getUniqueId());
    long millis = start == null ? 0 : (System.nanoTime() - start) / 1_000_000;
    TestEvent event = event(kind, test, millis, text);
    write(event);
    reader.accept(
        "%-7s %s.%s (%.1f s)"
            .formatted(
                kind.name().toLowerCase(Locale.ROOT),
                event.className().substring(event.className().lastIndexOf('.') + 1),
                event.name(),
                millis / 1000.0));
    if (kind == Kind.FAILED || kind == Kind.AGAIN) {
      reader.accept(text.indent(8));
    }
  }

  private static TestEvent event(Kind kind, TestIdentifier test, long millis, String text) {
    TestSource source = test.getSource().orElse(null);
    String className =
        switch (source) {
          case MethodSource method -> method.getClassName();
          case ClassSource type -> type.getClassName();
          case null, default -> "";
        };
    return new TestEvent(
        kind, test.getUniqueId(), className, test.getLegacyReportingName(), millis, text);
  }

  private void write(TestEvent event) {
    try {
      file.write(event.toLine());
      file.newLine();
      file.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String stackTrace(Throwable failure) {
    var writer = new StringWriter();
    failure.printStackTrace(new PrintWriter(writer));
    return writer.toString();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
