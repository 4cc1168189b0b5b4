package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.TestEvent.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;

class SuiteResultTest {
  private static TestEvent event(Kind kind, String id) {
    return new TestEvent(kind, id, "Some", id, 5, "");
  }

  @Test
  void failsWhatAGuestPlannedAndDidNotFinish() {
    var events =
        List.of(
            event(Kind.ELSEWHERE, "other"),
            event(Kind.PLANNED, "first"),
            event(Kind.PLANNED, "second"),
            event(Kind.PLANNED, "third"),
            event(Kind.PLANNED, "group"),
            event(Kind.ENDED, "group"),
            event(Kind.PASSED, "first"));

    SuiteResult suite = SuiteResult.ofGuest("intel", events, "Kernel panic");

    assertThat(suite.count(Kind.PASSED)).isEqualTo(1);
    assertThat(suite.results().stream().filter(result -> result.kind() == Kind.FAILED))
        .extracting(TestEvent::id)
        .containsExactly("second", "third");
    assertThat(suite.results().get(1).text()).contains("Kernel panic");
  }

  @Test
  void failsAGuestThatDiedAfterItsLastTest() {
    var events = List.of(event(Kind.PLANNED, "first"), event(Kind.PASSED, "first"));

    SuiteResult suite = SuiteResult.ofGuest("intel", events, "Kernel panic");

    assertThat(suite.count(Kind.PASSED)).isEqualTo(1);
    assertThat(suite.count(Kind.FAILED)).isEqualTo(1);
  }

  @Test
  void failsAGuestThatSaysNothing() {
    assertThat(SuiteResult.ofGuest("intel", List.of(), "").count(Kind.FAILED)).isEqualTo(1);
  }

  @Test
  void acceptsAGuestThatFinished() {
    var events =
        List.of(event(Kind.PLANNED, "first"), event(Kind.PASSED, "first"), TestEvent.finished());

    SuiteResult suite = SuiteResult.ofGuest("intel", events, "");

    assertThat(suite.results()).hasSize(1);
    assertThat(suite.count(Kind.PASSED)).isEqualTo(1);
  }

  @Test
  void writesXmlThatCanBeReadWhateverAConsoleSays(@TempDir Path directory) throws Exception {
    var failure = new TestEvent(Kind.FAILED, "a", "Some", "a", 5, "bad\n\u001b[31m\0 <&>]]>\uD800");
    Path path = directory.resolve("suite.xml");

    new SuiteResult("intel", List.of(failure, event(Kind.PASSED, "b"))).writeXml(path);

    Element suite =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(Files.newInputStream(path))
            .getDocumentElement();
    assertThat(suite.getAttribute("tests")).isEqualTo("2");
    assertThat(suite.getAttribute("failures")).isEqualTo("1");
    assertThat(suite.getElementsByTagName("failure").item(0).getTextContent())
        .isEqualTo("bad\n?[31m? <&>]]>?");
  }
}
