package io.github.vfio4j.lab;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * What came of the tests of one machine.
 *
 * @param name the machine and its kernel
 * @param results one event for each test that passed, failed or was skipped
 */
record SuiteResult(String name, List<TestEvent> results) {

  /** Reads what a guest left behind; what it planned and did not finish has failed. */
  static SuiteResult ofGuest(String name, List<TestEvent> events, String consoleEnd) {
    var results = new ArrayList<TestEvent>();
    Set<String> done = new HashSet<>();
    for (TestEvent event : events) {
      switch (event.kind()) {
        case PASSED, FAILED, SKIPPED -> {
          results.add(event);
          done.add(event.id());
        }
        case ENDED -> done.add(event.id());
        case PLANNED, ELSEWHERE, AGAIN, FINISHED -> {}
      }
    }
    String why = "the machine stopped before this test was done\n" + consoleEnd;
    for (TestEvent event : events) {
      if (event.kind() == Kind.PLANNED && !done.contains(event.id())) {
        results.add(
            new TestEvent(Kind.FAILED, event.id(), event.className(), event.name(), 0, why));
        why = "the machine had stopped before this test began";
      }
    }
    if (events.stream().noneMatch(event -> event.kind() == Kind.FINISHED)
        && results.stream().noneMatch(event -> event.kind() == Kind.FAILED)) {
      results.add(
          new TestEvent(
              Kind.FAILED, name, name, "boot", 0, "the tests did not run\n" + consoleEnd));
    }
    return new SuiteResult(name, results);
  }

  long count(Kind kind) {
    return results.stream().filter(event -> event.kind() == kind).count();
  }

  /** Writes the results as JUnit's XML. */
  void writeXml(Path path) throws IOException, XMLStreamException {
    try (Writer writer = Files.newBufferedWriter(path)) {
      XMLStreamWriter xml = XMLOutputFactory.newFactory().createXMLStreamWriter(writer);
      xml.writeStartDocument("UTF-8", "1.0");
      xml.writeStartElement("testsuite");
      xml.writeAttribute("name", name);
      xml.writeAttribute("tests", Integer.toString(results.size()));
      xml.writeAttribute("failures", Long.toString(count(Kind.FAILED)));
      xml.writeAttribute("errors", "0");
      xml.writeAttribute("skipped", Long.toString(count(Kind.SKIPPED)));
      xml.writeAttribute("time", seconds(results.stream().mapToLong(TestEvent::millis).sum()));
      for (TestEvent result : results) {
        writeCase(xml, result);
      }
      xml.writeEndElement();
      xml.writeEndDocument();
      xml.close();
    }
  }

  private static void writeCase(XMLStreamWriter xml, TestEvent result) throws XMLStreamException {
    xml.writeStartElement("testcase");
    xml.writeAttribute("classname", printable(result.className()));
    xml.writeAttribute("name", printable(result.name()));
    xml.writeAttribute("time", seconds(result.millis()));
    if (result.kind() != Kind.PASSED) {
      xml.writeStartElement(result.kind() == Kind.FAILED ? "failure" : "skipped");
      xml.writeAttribute("message", printable(result.text().lines().findFirst().orElse("")));
      xml.writeCharacters(printable(result.text()));
      xml.writeEndElement();
    }
    xml.writeEndElement();
  }

  private static String seconds(long millis) {
    return Double.toString(millis / 1000.0);
  }

  /** XML has no way to write most control characters, and a console is full of them. */
  private static String printable(String text) {
    return text.replaceAll("[^\\t\\n\\r\\x20-\\uD7FF\\uE000-\\uFFFD\\x{10000}-\\x{10FFFF}]", "?");
  }
}
