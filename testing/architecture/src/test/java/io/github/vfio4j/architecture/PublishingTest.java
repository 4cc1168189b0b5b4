package io.github.vfio4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What other people's builds are offered. */
class PublishingTest {
  private static final Pattern ARTIFACT = Pattern.compile("<artifactId>vfio4j-(\\w+)</artifactId>");

  @Test
  void isTheLibraryItsDriversAndTheDeviceModels() {
    assertThat(Build.publishedModules())
        .containsExactly(
            "bindings", "linux", "core", "model", "drivers/edu", "drivers/nvme", "vmm");
  }

  @Test
  void isWhatTheListOfVersionsHas() throws IOException {
    String bom = Files.readString(Build.ROOT.resolve("bom/pom.xml"));
    List<String> listed =
        ARTIFACT
            .matcher(bom.substring(bom.indexOf("<dependencyManagement>")))
            .results()
            .map((MatchResult match) -> match.group(1))
            .toList();

    assertThat(listed)
        .containsExactlyElementsOf(
            Build.publishedModules().stream()
                .map(folder -> folder.substring(folder.indexOf('/') + 1))
                .toList());
  }
}
