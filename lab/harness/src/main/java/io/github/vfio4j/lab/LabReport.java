package io.github.vfio4j.lab;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Adds up what came of all tests, on the host and in every guest. */
public final class LabReport {
  private static final int CONSOLE_LINES = 40;

  private LabReport() {}

  /**
   * Reads {@code DIR/host/*.xml}, as Surefire writes it, and {@code DIR/guests/NAME/}, as guests
   * leave it; writes the guests' results as XML next to those, prints a summary whose last line is
   * the total, and ends with status 1 if a test failed.
   *
   * @param arguments the directory; whether all machines ran, {@code complete} or {@code partial};
   *     then anything else that failed, one sentence each
   * @throws Exception if a report cannot be read or written
   */
  public static void main(String[] arguments) throws Exception {
    Path reports = Path.of(arguments[0]);
    var suites = new ArrayList<SuiteResult>();
    suites.add(host(reports.resolve("host")));
    Map<String, TestEvent> unsuited = new LinkedHashMap<>();
    Set<String> planned = new HashSet<>();
    for (Path guest : list(reports.resolve("guests"), "*")) {
      List<TestEvent> events = events(guest.resolve("tests"));
      SuiteResult suite =
          SuiteResult.ofGuest(guest.getFileName().toString(), events, consoleEnd(guest));
      suite.writeXml(reports.resolve("TEST-" + suite.name() + ".xml"));
      suites.add(suite);
      for (TestEvent event : events) {
        if (event.kind() == Kind.PLANNED) {
          planned.add(event.id());
        } else if (event.kind() == Kind.ELSEWHERE) {
          unsuited.putIfAbsent(event.id(), event);
        }
      }
    }
    if (arguments[1].equals("complete")) {
      unsuited.keySet().removeAll(planned);
      suites.add(new SuiteResult("no machine suits", skipped(unsuited.values())));
    }
    List<TestEvent> others =
        Arrays.stream(arguments)
            .skip(2)
            .map(text -> new TestEvent(Kind.FAILED, text, "", text, 0, ""))
            .toList();
    suites.add(new SuiteResult("the build", others));
    if (print(suites, System.out) > 0) {
      System.exit(1);
    }
  }

  private static List<TestEvent> skipped(Iterable<TestEvent> tests) {
    var results = new ArrayList<TestEvent>();
    for (TestEvent test : tests) {
      results.add(
          new TestEvent(Kind.SKIPPED, test.id(), test.className(), test.name(), 0, "ran nowhere"));
    }
    return results;
  }

  /** Prints one line for each suite and each test that did not pass; returns the failures. */
  private static long print(List<SuiteResult> suites, PrintStream out) {
    long passed = 0;
    long failed = 0;
    long skipped = 0;
    for (SuiteResult suite : suites) {
      passed += suite.count(Kind.PASSED);
      failed += suite.count(Kind.FAILED);
      skipped += suite.count(Kind.SKIPPED);
      for (TestEvent event : suite.results()) {
        if (event.kind() != Kind.PASSED) {
          out.printf(
              "%s  %s: %s.%s%n", event.kind(), suite.name(), event.className(), event.name());
          out.print(event.text().indent(4));
        }
      }
    }
    for (SuiteResult suite : suites) {
      if (!suite.results().isEmpty()) {
        out.printf(
            "%-28s %5d passed %5d failed %5d skipped%n",
            suite.name(),
            suite.count(Kind.PASSED),
            suite.count(Kind.FAILED),
            suite.count(Kind.SKIPPED));
      }
    }
    out.printf("%d passed, %d failed, %d skipped%n", passed, failed, skipped);
    return failed;
  }

  private static SuiteResult host(Path directory)
      throws IOException, ParserConfigurationException, SAXException {
    var results = new ArrayList<TestEvent>();
    for (Path path : list(directory, "*.xml")) {
      Element suite =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(path.toFile())
              .getDocumentElement();
      NodeList cases = suite.getElementsByTagName("testcase");
      for (int i = 0; i < cases.getLength(); i++) {
        if (cases.item(i) instanceof Element test) {
          results.add(hostResult(test));
        }
      }
    }
    return new SuiteResult("host", results);
  }

  private static TestEvent hostResult(Element test) {
    Kind kind = Kind.PASSED;
    String text = "";
    for (String outcome : List.of("failure", "error", "skipped")) {
      if (test.getElementsByTagName(outcome).item(0) instanceof Element element) {
        kind = outcome.equals("skipped") ? Kind.SKIPPED : Kind.FAILED;
        text = element.getAttribute("message") + "\n" + element.getTextContent();
      }
    }
    String className = test.getAttribute("classname");
    String name = test.getAttribute("name");
    return new TestEvent(kind, className + "." + name, className, name, 0, text);
  }

  private static List<TestEvent> events(Path log) throws IOException {
    var events = new ArrayList<TestEvent>();
    if (Files.exists(log)) {
      String text = Files.readString(log);
      String complete = text.substring(0, text.lastIndexOf('\n') + 1);
      complete.lines().map(TestEvent::fromLine).forEach(events::add);
    }
    return events;
  }

  /** How the guest ended, and what it left to explain it. */
  private static String consoleEnd(Path guest) throws IOException {
    List<String> status = lines(guest.resolve("status"));
    List<String> crash = lines(guest.resolve("java-crash"));
    List<String> console = lines(guest.resolve("console"));
    var text = new ArrayList<String>();
    text.add(
        status.isEmpty()
            ? "the machine hung or panicked"
            : "the tests ended with status " + status.getFirst());
    if (!crash.isEmpty()) {
      text.add("the JVM crashed, see " + guest.resolve("java-crash") + ":");
      text.addAll(crash.subList(0, Math.min(CONSOLE_LINES, crash.size())));
    }
    if (!console.isEmpty()) {
      text.add("the end of its console, see " + guest.resolve("console") + ":");
      text.addAll(console.subList(Math.max(0, console.size() - CONSOLE_LINES), console.size()));
    }
    return String.join("\n", text);
  }

  private static List<String> lines(Path path) throws IOException {
    return Files.exists(path)
        ? Files.readString(path, StandardCharsets.ISO_8859_1).lines().toList()
        : List.of();
  }

  private static List<Path> list(Path directory, String glob) throws IOException {
    var paths = new ArrayList<Path>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
        entries.forEach(paths::add);
      }
    }
    paths.sort(null);
    return paths;
  }
}
